"""What triage and the history of results ask for: the rank of a judged row, what a whole run took.

The ranks of rows that were judged before are found when somebody judges a row of the same result.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DETECTIONS = sa.table(
    "detections",
    sa.column("id", sa.String),
    sa.column("metrics", sa.JSON),
    sa.column("seconds", sa.Float),
    sa.column("peak_mib", sa.Float),
)


def upgrade() -> None:
    """Add the columns, and work out what the results that are there took."""
    op.add_column("feedback", sa.Column("rank", sa.BigInteger()))
    op.create_index("ix_feedback_detection_id_rank", "feedback", ["detection_id", "rank"])
    op.add_column("detections", sa.Column("seconds", sa.Float()))
    op.add_column("detections", sa.Column("peak_mib", sa.Float()))
    op.create_index("ix_detections_created_at", "detections", ["created_at", "id"])
    _add_up()


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_detections_created_at", "detections")
    op.drop_column("detections", "peak_mib")
    op.drop_column("detections", "seconds")
    op.drop_index("ix_feedback_detection_id_rank", "feedback")
    op.drop_column("feedback", "rank")


def _add_up() -> None:
    connection = op.get_bind()
    for id_, metrics in connection.execute(sa.select(DETECTIONS.c.id, DETECTIONS.c.metrics)).all():
        phases = ((metrics or {}).get("phases") or {}).values()
        if not phases:
            continue
        peaks = [phase["peak_mib"] for phase in phases if phase["peak_mib"] is not None]
        took = {
            "seconds": round(sum(phase["seconds"] for phase in phases), 6),
            "peak_mib": max(peaks, default=None),
        }
        connection.execute(DETECTIONS.update().where(DETECTIONS.c.id == id_).values(took))
