"""Accounts are made once, with sane values, and only the right password gets in."""

import pytest

from pynomaly.errors import BadAccount, BadCredentials, Conflict, TooManyAttempts
from pynomaly.server.db import Database
from pynomaly.server.users.models import User
from pynomaly.server.users.service import authenticate, create_user, has_users

PASSWORD = "correct horse battery"


def make(database: Database, email: str = "ada@example.org", **values: object) -> User:
    """Make an account."""
    with database.session() as session:
        return create_user(session, email, PASSWORD, **values)  # type: ignore[arg-type]


def test_an_account_is_stored_without_its_password(database: Database) -> None:
    with database.session(write=False) as session:
        assert not has_users(session)
    user = make(database, "  Ada@Example.ORG ", name=" Ada L. ", role="viewer")
    assert (user.email, user.name, user.role, user.active) == ("ada@example.org", "Ada L.", "viewer", True)
    assert PASSWORD not in user.password_hash
    assert (user.is_admin, user.may_write) == (False, False)
    with database.session(write=False) as session:
        assert has_users(session)


def test_an_address_has_one_account(database: Database) -> None:
    make(database)
    with pytest.raises(Conflict):
        make(database, "ADA@example.org")
    make(database, "bob@example.org")


NO_ADDRESSES = ["", "ada", "@", "a@", "@b", "a b@c", "a@b\nc", "a@b@c", "a@b\x1b[0m", "<a@b>", "a@\u202eb"]


def test_what_is_no_address_is_refused(database: Database) -> None:
    for email in (*NO_ADDRESSES, "a" * 65 + "@b", "a@" + "b" * 190):
        with pytest.raises(BadAccount):
            make(database, email)


def test_other_values_are_checked(database: Database) -> None:
    for values in ({"name": "x" * 201}, {"name": "a\nb"}, {"role": "root"}):
        with pytest.raises(BadAccount):
            make(database, **values)


def test_only_the_right_password_of_an_active_account_gets_in(database: Database) -> None:
    user = make(database)
    assert authenticate(database, " ADA@example.org ", PASSWORD).id == user.id
    for email, password in (
        ("ada@example.org", "wrong"),
        ("bob@example.org", PASSWORD),
        ("\ud800", "\ud800"),
    ):
        with pytest.raises(BadCredentials):
            authenticate(database, email.encode("utf-8", "replace").decode(), password)
    with database.session() as session:
        session.merge(user).active = False
    with pytest.raises(BadCredentials):
        authenticate(database, "ada@example.org", PASSWORD)


def test_guessing_is_stopped_even_with_the_right_password(database: Database) -> None:
    make(database)
    for _ in range(10):
        with pytest.raises(BadCredentials):
            authenticate(database, "ada@example.org", "wrong", address="1.2.3.4")
    with pytest.raises(TooManyAttempts) as caught:
        authenticate(database, "ada@example.org", PASSWORD, address="1.2.3.4")
    assert 0 < caught.value.details["retry_after"] <= 900
    assert authenticate(database, "ada@example.org", PASSWORD, address="5.6.7.8")
