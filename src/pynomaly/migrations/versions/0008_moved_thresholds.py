"""The threshold of a run, kept when it is moved in its result."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; none was moved so far."""
    op.add_column("detections", sa.Column("run_threshold", sa.Float(), nullable=True))


def downgrade() -> None:
    """Drop it; a threshold that was moved stays where it is."""
    op.drop_column("detections", "run_threshold")
