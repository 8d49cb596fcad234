"""Whether a detection's threshold was a score that somebody chose."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of what is there nobody knows it any more."""
    op.add_column(
        "detections",
        sa.Column("threshold_by_hand", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_column("detections", "threshold_by_hand")
