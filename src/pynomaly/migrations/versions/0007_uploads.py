"""Uploads that come in parts, and files that wait until somebody says how to read them."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the columns; what was uploaded was read as it was found."""
    op.add_column("datasets", sa.Column("choice", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("datasets", sa.Column("preview", sa.JSON(), nullable=True))
    op.add_column("datasets", sa.Column("missing_share", sa.Float(), nullable=True))
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("owner_id", sa.String(36), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("fingerprint", sa.String(200), nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("dataset_id", sa.String(36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name="fk_uploads_owner_id_users", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"], ["datasets.id"], name="fk_uploads_dataset_id_datasets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_owner_id_created_at", "uploads", ["owner_id", "created_at", "id"])
    op.create_index("ix_uploads_expires_at", "uploads", ["expires_at"])
    op.create_index("ix_models_dataset_id", "models", ["dataset_id"])


def downgrade() -> None:
    """Drop them; what was only uploaded cannot be read any more."""
    op.drop_index("ix_models_dataset_id", "models")
    op.drop_table("uploads")
    op.execute("UPDATE datasets SET status = 'failed' WHERE status = 'uploaded'")
    for name in ("missing_share", "preview", "choice"):
        op.drop_column("datasets", name)
