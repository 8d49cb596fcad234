"""Accounts: one's own, its API keys; and, for administrators, everybody's and the audit log."""

from collections.abc import Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Literal, TypedDict, Unpack

from pynomaly.client.flow import Flow, Pages
from pynomaly.client.models import ApiKey, AuditEntry, ResetLink, Role, Session, User
from pynomaly.client.operation import (
    KEEP,
    D,
    HasId,
    Keep,
    Listing,
    Operation,
    Resource,
    at,
    given,
    id_of,
    only_if,
)


class Account(Resource[D]):
    """`client.account`: one's own."""

    @Operation
    def update(
        self,
        *,
        name: str | Keep = KEEP,
        email: str | Keep = KEEP,
        current_password: str | Keep = KEEP,
        if_match: str | None = None,
    ) -> Flow[User]:
        """Change one's name or, with the password, one's e-mail address."""
        body = given(name=name, email=email, current_password=current_password)
        return self._one(User, "PATCH", "/auth/me", body=body, headers=only_if(if_match))

    @Operation
    def change_password(self, current_password: str, new_password: str) -> Flow[None]:
        """Choose a new password; all other log-ins end."""
        body = {"current_password": current_password, "new_password": new_password}
        return self._none("POST", "/auth/password", body=body, once=True)

    @Listing
    def sessions(self, *, page_size: int | None = None) -> Pages[Session]:
        """Go through one's log-ins."""
        return self._pages(Session, "/auth/sessions", limit=page_size)

    @Operation
    def end_session(self, session: HasId | str) -> Flow[None]:
        """End one log-in."""
        return self._none("DELETE", f"/auth/sessions/{at(session)}")

    @Operation
    def end_other_sessions(self) -> Flow[None]:
        """End all log-ins but this one."""
        return self._none("DELETE", "/auth/sessions")


class ApiKeys(Resource[D]):
    """`client.api_keys`: one's own. A key cannot make keys: log in with e-mail and password."""

    @Operation
    def create(self, name: str, scopes: Sequence[str], *, expires_at: datetime | None = None) -> Flow[ApiKey]:
        """Make a key that may do what the scopes say; its `key` is shown this once."""
        body = {"name": name, "scopes": list(scopes)}
        if expires_at is not None:
            body["expires_at"] = expires_at.isoformat()
        return self._one(ApiKey, "POST", "/auth/api-keys", body=body)

    @Listing
    def list(
        self,
        *,
        live: bool | None = None,
        fields: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Pages[ApiKey]:
        """Go through one's keys: all, those that work (`live=True`), or those that ended."""
        return self._pages(ApiKey, "/auth/api-keys", live=live, fields=fields, limit=page_size)

    @Operation
    def get(self, key: HasId | str) -> Flow[ApiKey]:
        """Look at one key, without its secret."""
        return self._one(ApiKey, "GET", f"/auth/api-keys/{at(key)}")

    @Operation
    def revoke(self, key: HasId | str) -> Flow[None]:
        """Refuse a key from now on."""
        return self._none("DELETE", f"/auth/api-keys/{at(key)}")

    @Operation
    def rotate(self, key: HasId | str, *, overlap_minutes: int | Keep = KEEP) -> Flow[ApiKey]:
        """Make a key that takes this one's place; for `overlap_minutes` both work."""
        body = given(overlap_minutes=overlap_minutes)
        return self._one(ApiKey, "POST", f"/auth/api-keys/{at(key)}/rotate", body=body)


class Users(Resource[D]):
    """`client.users`: everybody's accounts, for administrators."""

    @Operation
    def create(self, email: str, password: str, *, name: str = "", role: Role = "user") -> Flow[User]:
        """Make an account."""
        body = {"email": email, "password": password, "name": name, "role": role}
        return self._one(User, "POST", "/admin/users", body=body)

    @Listing
    def list(
        self,
        *,
        role: Role | None = None,
        active: bool | None = None,
        search: str | None = None,
        sort: str | None = None,
        fields: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Pages[User]:
        """Go through all accounts; `search` is a part of the e-mail address or name."""
        return self._pages(
            User,
            "/admin/users",
            role=role,
            active=active,
            search=search,
            sort=sort,
            fields=fields,
            limit=page_size,
        )

    @Operation
    def get(self, user: HasId | str) -> Flow[User]:
        """Look at one account."""
        return self._one(User, "GET", f"/admin/users/{at(user)}")

    @Operation
    def update(
        self,
        user: HasId | str,
        *,
        name: str | Keep = KEEP,
        role: Role | Keep = KEEP,
        active: bool | Keep = KEEP,
        if_match: str | None = None,
    ) -> Flow[User]:
        """Change somebody's name or role, or lock an account (`active=False`)."""
        body = given(name=name, role=role, active=active)
        return self._one(User, "PATCH", f"/admin/users/{at(user)}", body=body, headers=only_if(if_match))

    @Operation
    def delete(
        self, user: HasId | str, *, transfer_to: HasId | str | None = None, if_match: str | None = None
    ) -> Flow[None]:
        """Delete an account; `transfer_to` gets what it owns, without which one that owns something stays."""
        query = {"transfer_to": None if transfer_to is None else id_of(transfer_to)}
        return self._none("DELETE", f"/admin/users/{at(user)}", query=query, headers=only_if(if_match))

    @Operation
    def end_sessions(self, user: HasId | str, *, api_keys: bool = False) -> Flow[None]:
        """End all of somebody's log-ins and, when wanted, API keys."""
        query = {"api_keys": api_keys or None}
        return self._none("DELETE", f"/admin/users/{at(user)}/sessions", query=query)

    @Operation
    def reset_password(self, user: HasId | str) -> Flow[ResetLink]:
        """Make a link by which somebody chooses a new password, once."""
        return self._one(ResetLink, "POST", f"/admin/users/{at(user)}/password-reset")


class AuditFilter(TypedDict, total=False):
    """Which entries of the audit log are wanted."""

    action: str
    """An action (`login.failed`) or its kind (`login`)."""
    actor_id: str
    target_kind: str
    target_id: str
    since: datetime
    until: datetime


class AuditLog(Resource[D]):
    """`client.audit_log`: who did what, for administrators."""

    @Listing
    def list(self, /, *, page_size: int | None = None, **wanted: Unpack[AuditFilter]) -> Pages[AuditEntry]:
        """Go through the entries, newest first."""
        return self._pages(AuditEntry, "/admin/audit-log", limit=page_size, **wanted)

    @Operation
    def export(
        self,
        file: str | PathLike[str],
        /,
        *,
        format: Literal["csv", "ndjson"] = "csv",  # noqa: A002 the API's own word
        **wanted: Unpack[AuditFilter],
    ) -> Flow[Path]:
        """Write all wanted entries to a file, oldest first."""
        path = Path(file)
        query = {"format": format, **wanted}
        yield from self._send("GET", "/admin/audit-log/export", query=query, save=path)
        return path
