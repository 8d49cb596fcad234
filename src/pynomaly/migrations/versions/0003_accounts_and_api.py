"""Accounts and the API: keys, audit log, shares, versions in use, feedback, idempotency.

Columns are added in place: copying a table that others refer to would cascade when SQLite drops the old copy.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ADDED = {
    "users": ("oidc_issuer", "oidc_subject", "updated_at"),
    "logins": ("user_agent", "last_used_at"),
    "datasets": ("description", "types", "n_duplicates", "updated_at"),
    "detectors": ("description", "threshold"),
    "models": ("metrics", "recipe"),
    "detections": ("name", "remarks"),
}


def upgrade() -> None:
    """Add columns and tables; what is there keeps its meaning."""
    _columns()
    _references()
    _api_keys()
    _audit_log()
    _shares()
    _versions()
    _feedback()
    _idempotency_keys()


def downgrade() -> None:
    """Drop them, with keys, shares, feedback and the audit log."""
    for table in (
        "idempotency_keys",
        "feedback",
        "model_activations",
        "model_aliases",
        "shares",
        "audit_log",
        "api_keys",
    ):
        op.drop_table(table)
    op.drop_index("ix_jobs_parent_id", "jobs")
    op.drop_index("ix_users_oidc_issuer", "users")
    op.drop_index("ix_users_created_at", "users")
    op.execute("DELETE FROM one_time_links WHERE user_id IS NOT NULL")
    for table, names in ADDED.items():
        for name in names:
            op.drop_column(table, name)
    op.drop_column("jobs", "parent_id")
    with op.batch_alter_table("one_time_links") as links:
        links.drop_constraint("fk_one_time_links_user_id_users", type_="foreignkey")
        links.drop_column("user_id")


def _columns() -> None:
    for table in ("users", "datasets"):
        op.add_column(table, _moment("updated_at", default="1970-01-01 00:00:00+00:00"))
        op.execute(f"UPDATE {table} SET updated_at = created_at")
    op.add_column("users", sa.Column("oidc_issuer", sa.String(255)))
    op.add_column("users", sa.Column("oidc_subject", sa.String(255)))
    op.add_column("logins", sa.Column("user_agent", sa.String(200), nullable=False, server_default=""))
    op.add_column("logins", _moment("last_used_at", null=True))
    for table in ("datasets", "detectors"):
        op.add_column(table, sa.Column("description", sa.Text(), nullable=False, server_default=""))
    op.add_column("datasets", sa.Column("types", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("datasets", sa.Column("n_duplicates", sa.BigInteger()))
    op.add_column("detectors", sa.Column("threshold", sa.Float()))
    for name in ("metrics", "recipe"):
        op.add_column("models", sa.Column(name, sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("detections", sa.Column("name", sa.String(200), nullable=False, server_default=""))
    op.add_column("detections", sa.Column("remarks", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_users_oidc_issuer", "users", ["oidc_issuer", "oidc_subject"], unique=True)
    op.create_index("ix_users_created_at", "users", ["created_at", "id"])


def _references() -> None:
    op.add_column("jobs", sa.Column("parent_id", sa.String(36)))
    op.create_index("ix_jobs_parent_id", "jobs", ["parent_id"])
    with op.batch_alter_table("one_time_links") as table:  # copied on SQLite: nothing refers to it
        table.add_column(sa.Column("user_id", sa.String(36)))
        table.create_foreign_key(
            "fk_one_time_links_user_id_users", "users", ["user_id"], ["id"], ondelete="CASCADE"
        )


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        _id(),
        _refers("user_id", "users"),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("prefix", sa.String(16), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.JSON(), nullable=False),
        _moment("created_at"),
        _moment("expires_at", null=True),
        _moment("last_used_at", null=True),
        _moment("revoked_at", null=True),
        sa.Column("rotated_to_id", sa.String(36)),
    )
    op.create_index("ix_api_keys_user_id_created_at", "api_keys", ["user_id", "created_at", "id"])


def _audit_log() -> None:
    op.create_table(
        "audit_log",
        _id(),
        _moment("at"),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("actor_id", sa.String(36)),
        sa.Column("actor_email", sa.String(254)),
        sa.Column("target_kind", sa.String(32)),
        sa.Column("target_id", sa.String(36)),
        sa.Column("target_name", sa.String(255)),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
    )
    op.create_index("ix_audit_log_at", "audit_log", ["at", "id"])
    for name in ("actor_id", "action", "target_id"):
        op.create_index(f"ix_audit_log_{name}_at", "audit_log", [name, "at", "id"])


def _shares() -> None:
    op.create_table(
        "shares",
        _id(),
        _refers("dataset_id", "datasets", null=True),
        _refers("detector_id", "detectors", null=True),
        _refers("user_id", "users", null=True),
        sa.Column("access", sa.String(8), nullable=False),
        _moment("created_at"),
        sa.CheckConstraint("access in ('view', 'use')", name="access"),
        sa.CheckConstraint("(dataset_id is null) <> (detector_id is null)", name="subject"),
    )
    op.create_index("ix_shares_user_id", "shares", ["user_id"])
    for name in ("dataset_id", "detector_id"):
        op.create_index(f"uq_shares_{name}_user_id", "shares", [name, "user_id"], unique=True)
        everyone = sa.text("user_id IS NULL")
        op.create_index(
            f"uq_shares_{name}_everyone",
            "shares",
            [name],
            unique=True,
            sqlite_where=everyone,
            postgresql_where=everyone,
        )


def _versions() -> None:
    op.create_table(
        "model_aliases",
        sa.Column(
            "detector_id", sa.String(36), sa.ForeignKey("detectors.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("name", sa.String(64), primary_key=True),
        _refers("model_id", "models"),
        _moment("updated_at"),
    )
    op.create_table(
        "model_activations",
        _id(),
        _refers("detector_id", "detectors"),
        _refers("model_id", "models"),
        _refers("user_id", "users", null=True, ondelete="SET NULL"),
        _moment("at"),
    )
    op.create_index("ix_model_activations_detector_id_at", "model_activations", ["detector_id", "at"])


def _feedback() -> None:
    op.create_table(
        "feedback",
        _id(),
        _refers("detection_id", "detections"),
        sa.Column("row", sa.BigInteger(), nullable=False),
        _refers("user_id", "users"),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        _moment("created_at"),
        _moment("updated_at"),
        sa.CheckConstraint("verdict in ('anomaly', 'normal', 'unsure')", name="verdict"),
        sa.UniqueConstraint("detection_id", "row", "user_id"),
    )


def _idempotency_keys() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.String(36), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("claim", sa.String(36), nullable=False),
        _moment("claimed_at"),
        sa.Column("carried_out", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("location", sa.String(500)),
        sa.Column("body", sa.LargeBinary()),
    )
    op.create_index("ix_idempotency_keys_claimed_at", "idempotency_keys", ["claimed_at"])


def _id() -> sa.Column[str]:
    return sa.Column("id", sa.String(36), primary_key=True)


def _refers(name: str, table: str, *, null: bool = False, ondelete: str = "CASCADE") -> sa.Column[str]:
    return sa.Column(name, sa.String(36), sa.ForeignKey(f"{table}.id", ondelete=ondelete), nullable=null)


def _moment(name: str, *, null: bool = False, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null, server_default=default)
