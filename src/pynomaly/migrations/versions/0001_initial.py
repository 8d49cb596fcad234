"""The first tables: people, jobs, datasets, detectors and their models, detections."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATUSES = "status IN ('queued', 'running', 'completed', 'failed', 'cancelled')"


def upgrade() -> None:
    """Make all tables; constraints get their names from the naming convention of `server.db.Base`."""
    _users()
    _logins()
    _links_and_attempts()
    _jobs()
    _datasets()
    _detectors()
    _models()
    _detections()


def downgrade() -> None:
    """Drop all tables, with all that is in them."""
    for table in ("detections", "models", "detectors", "datasets", "jobs"):
        op.drop_table(table)
    for table in ("login_attempts", "one_time_links", "refresh_tokens", "logins", "users"):
        op.drop_table(table)


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.String(36), primary_key=True)


def _text(name: str, length: int | None, *, null: bool = False, unique: bool = False) -> sa.Column[str]:
    kind = sa.Text() if length is None else sa.String(length)
    return sa.Column(name, kind, nullable=null, unique=unique or None)


def _number(name: str, kind: type[sa.types.TypeEngine[Any]], *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind(), nullable=null)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _json(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=null)


def _refers(name: str, table: str, *, null: bool = False, ondelete: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.String(36), sa.ForeignKey(f"{table}.id", ondelete=ondelete), nullable=null)


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def _owner_index(table: str) -> None:
    """The index of every list of one owner's things, newest first."""
    op.create_index(f"ix_{table}_owner_id_created_at", table, ["owner_id", "created_at", "id"])


def _users() -> None:
    op.create_table(
        "users",
        _id(),
        _text("email", 254, unique=True),
        _text("name", 200),
        _text("role", 16),
        _text("password_hash", 255),
        _flag("active"),
        _moment("created_at"),
        sa.CheckConstraint("role in ('admin', 'user', 'viewer')", name="role"),
    )


def _logins() -> None:
    op.create_table(
        "logins",
        _id(),
        _refers("user_id", "users", ondelete="CASCADE"),
        _text("cookie_hash", 64, null=True, unique=True),
        _text("address", 64),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("revoked_at", null=True),
    )
    _index("logins", "user_id")
    op.create_table(
        "refresh_tokens",
        _id(),
        _refers("login_id", "logins", ondelete="CASCADE"),
        _text("token_hash", 64, unique=True),
        _moment("created_at"),
        _moment("used_at", null=True),
    )
    _index("refresh_tokens", "login_id")


def _links_and_attempts() -> None:
    op.create_table(
        "one_time_links",
        _id(),
        _text("purpose", 32),
        _text("token_hash", 64, unique=True),
        _moment("expires_at"),
        _moment("used_at", null=True),
    )
    op.create_table("login_attempts", _id(), _text("account", 64), _text("address", 64), _moment("at"))
    _index("login_attempts", "account", "at")
    _index("login_attempts", "address", "at")
    _index("login_attempts", "at")


def _jobs() -> None:
    op.create_table(
        "jobs",
        _id(),
        _text("kind", 64),
        _refers("owner_id", "users", null=True, ondelete="SET NULL"),
        _text("subject_id", 36, null=True),
        _json("payload"),
        _text("status", 16),
        _number("priority", sa.Integer),
        _number("attempts", sa.Integer),
        _number("max_attempts", sa.Integer),
        _moment("lease_until", null=True),
        _text("worker", 128, null=True),
        _number("progress", sa.Float),
        _text("progress_text", 200),
        _text("error_code", 64, null=True),
        _text("error_detail", None, null=True),
        _flag("cancel_requested"),
        _moment("created_at"),
        _moment("available_at"),
        _moment("started_at", null=True),
        _moment("finished_at", null=True),
        sa.CheckConstraint(STATUSES, name="status"),
        sa.CheckConstraint("progress >= 0 AND progress <= 1", name="progress"),
    )
    _index("jobs", "subject_id")
    _owner_index("jobs")
    op.create_index("ix_jobs_claim", "jobs", ["status", sa.text("priority DESC"), "created_at", "id"])
    op.create_index(
        "ix_jobs_cancel_requested",
        "jobs",
        ["status"],
        sqlite_where=sa.text("cancel_requested = 1"),
        postgresql_where=sa.text("cancel_requested"),
    )


def _datasets() -> None:
    op.create_table(
        "datasets",
        _id(),
        _refers("owner_id", "users"),
        _text("name", 200),
        _text("filename", 255),
        _text("status", 16),
        _number("n_rows", sa.BigInteger, null=True),
        _number("n_columns", sa.Integer, null=True),
        _json("columns"),
        _json("profile"),
        _json("rejects"),
        _number("n_rejected", sa.BigInteger),
        _json("dialect", null=True),
        _text("label_column", None, null=True),
        _number("size_bytes", sa.BigInteger),
        _text("source_key", 200, null=True),
        _text("blob_key", 200, null=True),
        _text("error_code", 64, null=True),
        _text("error_detail", None, null=True),
        _refers("job_id", "jobs", null=True, ondelete="SET NULL"),
        _moment("created_at"),
    )
    _owner_index("datasets")


def _detectors() -> None:
    op.create_table(
        "detectors",
        _id(),
        _refers("owner_id", "users"),
        _text("name", 200),
        _text("algorithm", 64),
        _json("parameters"),
        _json("columns", null=True),
        _number("contamination", sa.Float, null=True),
        _number("seed", sa.BigInteger),
        _text("status", 16),
        _text("model_id", 36, null=True),
        _text("error_code", 64, null=True),
        _text("error_detail", None, null=True),
        _refers("job_id", "jobs", null=True, ondelete="SET NULL"),
        _moment("created_at"),
        _moment("updated_at"),
    )
    _owner_index("detectors")


def _models() -> None:
    op.create_table(
        "models",
        _id(),
        _refers("owner_id", "users"),
        _refers("detector_id", "detectors", null=True, ondelete="CASCADE"),
        _number("version", sa.Integer),
        _refers("dataset_id", "datasets", null=True, ondelete="SET NULL"),
        _text("algorithm", 64),
        _json("parameters"),
        _json("schema"),
        _number("threshold", sa.Float),
        _json("notes"),
        _text("blob_key", 200),
        _moment("created_at"),
        sa.UniqueConstraint("detector_id", "version"),
    )


def _detections() -> None:
    op.create_table(
        "detections",
        _id(),
        _refers("owner_id", "users"),
        _refers("dataset_id", "datasets"),
        _refers("detector_id", "detectors", null=True),
        _refers("model_id", "models", null=True),
        _text("algorithm", 64),
        _json("parameters"),
        _json("columns", null=True),
        _number("contamination", sa.Float, null=True),
        _number("seed", sa.BigInteger),
        _text("status", 16),
        _number("n_rows", sa.BigInteger, null=True),
        _number("n_anomalies", sa.BigInteger, null=True),
        _number("threshold", sa.Float, null=True),
        _json("score_histogram", null=True),
        _json("metrics", null=True),
        _json("notes"),
        _text("blob_key", 200, null=True),
        _text("error_code", 64, null=True),
        _text("error_detail", None, null=True),
        _refers("job_id", "jobs", null=True, ondelete="SET NULL"),
        _moment("created_at"),
        _moment("finished_at", null=True),
    )
    _index("detections", "dataset_id")
    _index("detections", "detector_id")
    _owner_index("detections")
