"""Failed attempts are counted per account and address, forgotten after success or in time, never lost."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from pynomaly.errors import TooManyAttempts
from pynomaly.server.db import Database, utc_now
from pynomaly.server.users import throttle
from pynomaly.server.users.models import LoginAttempt


def attempt(database: Database, email: str, address: str, times: int = 1) -> None:
    """Make attempts that fail."""
    for _ in range(times):
        with database.session() as session:
            throttle.begin(session, email, address)


def test_ten_attempts_from_one_address_on_one_account(database: Database) -> None:
    attempt(database, "ada", "here", 10)
    with pytest.raises(TooManyAttempts, match=r"wait \d+ seconds"):
        attempt(database, "ada", "here")
    attempt(database, "ada", "there")
    attempt(database, "bob", "here")


def test_one_address_may_not_try_many_accounts(database: Database) -> None:
    for number in range(50):
        attempt(database, f"user{number}", "here")
    with pytest.raises(TooManyAttempts):
        attempt(database, "another", "here")
    attempt(database, "another", "there")


def test_many_addresses_may_not_try_one_account_for_ever(database: Database) -> None:
    for number in range(100):
        attempt(database, "ada", str(number))
    with pytest.raises(TooManyAttempts):
        attempt(database, "ada", "another")


def test_success_forgives_this_account_here_only(database: Database) -> None:
    attempt(database, "ada", "here", 10)
    attempt(database, "bob", "here", 10)
    with database.session() as session:
        throttle.forgive(session, "ada", "here")
    attempt(database, "ada", "here")
    with pytest.raises(TooManyAttempts):
        attempt(database, "bob", "here")


def test_time_forgives_and_old_attempts_are_swept(database: Database) -> None:
    attempt(database, "ada", "here", 10)
    past = utc_now() - throttle.WINDOW + timedelta(seconds=30)
    with database.session() as session:
        session.execute(update(LoginAttempt).values(at=past))
    with pytest.raises(TooManyAttempts) as caught:
        attempt(database, "ada", "here")
    assert 25 <= caught.value.details["retry_after"] <= 30
    with database.session() as session:
        session.execute(update(LoginAttempt).values(at=past - timedelta(minutes=1)))
    attempt(database, "ada", "here")
    with database.session(write=False) as session:
        assert session.scalar(select(func.count()).select_from(LoginAttempt)) == 1


def test_what_was_typed_is_not_stored(database: Database) -> None:
    attempt(database, "my password by mistake", "here")
    with database.session(write=False) as session:
        assert "mistake" not in session.scalars(select(LoginAttempt.account)).one()
