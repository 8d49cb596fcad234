"""Workers that tell that they live, previews of detections, and what the start page looks up."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and indexes."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "workers",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("seen_at", moment, nullable=False),
    )
    op.create_table(
        "previews",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("owner_id", sa.String(36), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column(
            "dataset_id", sa.String(36), sa.ForeignKey("datasets.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("recipe", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON()),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error_detail", sa.Text()),
        sa.Column("job_id", sa.String(36), sa.ForeignKey("jobs.id", ondelete="SET NULL")),
        sa.Column("created_at", moment, nullable=False),
    )
    for column in ("owner_id", "dataset_id", "created_at"):
        op.create_index(f"ix_previews_{column}", "previews", [column])
    op.create_index("ix_datasets_created_at", "datasets", ["created_at", "id"])
    op.create_index("ix_detections_found", "detections", ["created_at", "n_anomalies"])
    counted = ["owner_id", "created_at", "dataset_id", "n_anomalies"]
    op.create_index("ix_detections_per_day", "detections", counted)


def downgrade() -> None:
    """Drop them, with the previews."""
    op.drop_index("ix_detections_per_day", "detections")
    op.drop_index("ix_detections_found", "detections")
    op.drop_index("ix_datasets_created_at", "datasets")
    op.drop_table("previews")
    op.drop_table("workers")
