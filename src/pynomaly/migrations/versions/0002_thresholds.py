"""Ways to choose a threshold besides contamination, and the contamination that is estimated."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was there before chose by contamination and knows no estimate."""
    for table in ("detectors", "detections"):
        op.add_column(table, sa.Column("max_alerts", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("fdr", sa.Float(), nullable=True))
        op.add_column(table, sa.Column("quantile", sa.Float(), nullable=True))
    for table in ("models", "detections"):
        op.add_column(table, sa.Column("estimated_contamination", sa.Float(), nullable=True))


def downgrade() -> None:
    """Drop the columns: thresholds chosen otherwise become contamination "auto"."""
    for table in ("models", "detections"):
        op.drop_column(table, "estimated_contamination")
    for table in ("detectors", "detections"):
        for name in ("quantile", "fdr", "max_alerts"):
            op.drop_column(table, name)
