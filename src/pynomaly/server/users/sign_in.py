"""Whose account it is that somebody signs in to elsewhere, and which role their groups give them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.errors import BadAccount, ConfigurationError, Conflict, MissingExtra, SignInFailed
from pynomaly.server.audit import record
from pynomaly.server.users.models import User
from pynomaly.server.users.permissions import ROLES, Role
from pynomaly.server.users.service import add_user, checked_email
from pynomaly.settings import Settings

if TYPE_CHECKING:
    from pynomaly.server.users.oidc import Provider


@dataclass(frozen=True)
class Identity:
    """What a provider says of a person, checked."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool | None
    name: str
    groups: frozenset[str]


@dataclass(frozen=True)
class Rules:
    """What the settings say of people who sign in elsewhere."""

    roles: Mapping[str, Role]
    """Roles of groups; empty: roles are set here."""
    default: Role | None
    """Of who is in no mapped group; None: they may not sign in."""
    sign_up: bool
    link_by_email: bool

    def role(self, groups: frozenset[str]) -> Role | None:
        """The highest role that the groups give."""
        given = {self.roles[group] for group in groups & self.roles.keys()}
        return next((role for role in ROLES if role in given), self.default)


def rules_of(settings: Settings) -> Rules:
    """Read the rules; ConfigurationError when the map of roles cannot be read."""
    return Rules(
        roles=_role_map(settings.oidc_role_map),
        default=None if settings.oidc_default_role == "none" else settings.oidc_default_role,
        sign_up=settings.oidc_allow_sign_up,
        link_by_email=settings.oidc_link_by_email,
    )


def provider_of(settings: Settings) -> "Provider | None":
    """The provider that the settings name, if they name one; it is not asked for anything yet.

    Raises:
        ConfigurationError: the settings are incomplete or wrong.
        MissingExtra: Authlib is not installed.
    """
    if not settings.oidc_issuer:
        return None
    rules_of(settings)
    try:
        from pynomaly.server.users.oidc import Provider
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "Signing in with OpenID Connect needs Authlib: pip install 'pynomaly-platform[oidc]'"
        ) from error
    return Provider(settings)


def account_of(session: Session, identity: Identity, rules: Rules) -> User:
    """Find, link or make the account of who has signed in, and give it the role of their groups.

    An account is known by issuer and subject; by e-mail address only when the settings allow that and the
    provider has verified it.

    Raises SignInFailed when there is no account and none may be made, or it is disabled, or no group gives a
    role.
    """
    user = _known(session, identity) or _linked(session, identity, rules) or _made(session, identity, rules)
    if not user.active:
        raise SignInFailed("This account is disabled.")
    role = rules.role(identity.groups) if rules.roles else user.role
    if role is None:
        raise SignInFailed("None of your groups has access to Pynomaly.")
    if role != user.role:
        record(session, None, "user.change", user, role=[user.role, role], through="oidc")
        user.role = role
        session.flush()
    return user


def _known(session: Session, identity: Identity) -> User | None:
    them = (User.oidc_issuer == identity.issuer, User.oidc_subject == identity.subject)
    return session.scalars(select(User).where(*them).with_for_update()).first()


def _linked(session: Session, identity: Identity, rules: Rules) -> User | None:
    if not rules.link_by_email or identity.email_verified is not True or identity.email is None:
        return None
    unlinked = (User.email == _address(identity.email), User.oidc_subject.is_(None))
    user = session.scalars(select(User).where(*unlinked).with_for_update()).first()
    if user is not None:
        user.oidc_issuer, user.oidc_subject = identity.issuer, identity.subject
        session.flush()
        record(session, None, "user.link", user, issuer=identity.issuer, subject=identity.subject)
    return user


def _made(session: Session, identity: Identity, rules: Rules) -> User:
    role = rules.role(identity.groups)
    if not rules.sign_up or role is None:
        raise SignInFailed("You have no account here: ask an administrator.")
    if identity.email is None or identity.email_verified is False:
        raise SignInFailed("The provider does not confirm your e-mail address.")
    user = User(
        email=_address(identity.email),
        name=_name(identity.name),
        role=role,
        password_hash="",
        oidc_issuer=identity.issuer,
        oidc_subject=identity.subject,
        active=True,
    )
    try:
        add_user(session, user)
    except Conflict as error:
        made_meanwhile = _known(session, identity)
        if made_meanwhile is None:
            raise SignInFailed("Your account cannot be made: ask an administrator.") from error
        return made_meanwhile
    return user


def _address(email: str) -> str:
    try:
        return checked_email(email)
    except BadAccount as error:
        raise SignInFailed("The provider does not confirm your e-mail address.") from error


def _name(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable()).strip()[:200]


def _role_map(text: str) -> dict[str, Role]:
    """Read `group=role,…` or a JSON object.

    >>> _role_map("staff=user, ops=admin"), _role_map('{"a,b": "viewer"}')
    ({'staff': 'user', 'ops': 'admin'}, {'a,b': 'viewer'})
    """
    wrong = ConfigurationError(
        f"PYNOMALY_OIDC_ROLE_MAP is not group=role,… with the roles {', '.join(ROLES)}, nor such JSON."
    )
    try:
        pairs = json.loads(text) if text.lstrip().startswith("{") else _pairs(text)
    except ValueError as error:
        raise wrong from error
    if not all(role in ROLES for role in pairs.values()):
        raise wrong
    return dict(pairs)


def _pairs(text: str) -> dict[str, str]:
    split = [pair.rpartition("=") for pair in text.split(",") if pair.strip()]
    return {group.strip(): role.strip() for group, _, role in split}
