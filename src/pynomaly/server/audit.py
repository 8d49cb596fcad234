"""The audit log: every security-relevant or destructive act, written in the transaction of the act itself."""

from typing import Any, Protocol

from sqlalchemy.orm import Session

from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.origin import ORIGIN
from pynomaly.server.users.models import User


class Target(Protocol):
    """What was acted on."""

    @property
    def id(self) -> Any:
        """Its identifier."""


def record(
    session: Session, actor: User | None, action: str, target: Target | None = None, **details: Any
) -> None:
    """Write down who did what.

    Args:
        session: the act's own transaction: both are committed or neither is.
        actor: who did it; None when nobody is known (a failed log-in) or the system did.
        action: `<kind>.<act>`, such as "dataset.delete".
        target: the row acted on; its kind, id and name (or e-mail address) are kept.
        details: what changed, as JSON values; never a secret.
    """
    origin = ORIGIN.get()
    name = getattr(target, "name", "") or getattr(target, "email", "") or None
    entry = AuditEntry(
        action=action,
        actor_id=actor.id if actor is not None else None,
        actor_email=actor.email if actor is not None else None,
        target_kind=type(target).__name__.lower() if target is not None else None,
        target_id=target.id if target is not None else None,
        target_name=name[:255] if name else None,
        address=origin.address,
        request_id=origin.request_id,
        details=details,
    )
    session.add(entry)
