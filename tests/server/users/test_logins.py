"""Log-ins live until they end; refresh tokens work once; a copied one ends everything."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.db import Database, utc_now
from pynomaly.server.users import logins
from pynomaly.server.users.models import Login, RefreshToken, User
from pynomaly.server.users.service import create_user


@pytest.fixture
def user(database: Database) -> User:
    """An account."""
    with database.session() as session:
        return create_user(session, "ada@example.org", "correct horse battery")


def open_api(database: Database, user: User) -> tuple[str, str]:
    """Log in through the API; gives the log-in's id and the refresh token."""
    with database.session() as session:
        login, token = logins.open_through_api(session, user, days=1)
        return login.id, token


def rotate(database: Database, token: str) -> str | None:
    """Use a refresh token; gives the next one."""
    with database.session() as session:
        found = logins.rotate(session, token, days=1)
        return None if found is None else found[1]


def is_live(database: Database, login_id: str) -> bool:
    """Whether the log-in counts."""
    with database.session(write=False) as session:
        return logins.by_id(session, login_id) is not None


def age_tokens(database: Database) -> None:
    """Let the time of grace pass."""
    with database.session() as session:
        used = RefreshToken.used_at.is_not(None)
        session.execute(update(RefreshToken).where(used).values(used_at=utc_now() - timedelta(seconds=11)))


def test_a_cookie_finds_its_person_until_the_log_in_ends(database: Database, user: User) -> None:
    with database.session() as session:
        cookie = logins.open_in_browser(session, user, days=1)
        assert session.scalars(select(Login.cookie_hash)).one() != cookie
    for end in ({"expires_at": utc_now()}, {"revoked_at": utc_now()}):
        with database.session() as session:
            found = logins.by_cookie(session, cookie)
            assert found is not None
            assert found[0].id == user.id
            assert logins.by_cookie(session, "") is None
            assert logins.by_cookie(session, cookie + "x") is None
            session.execute(update(Login).values(**end))
            assert logins.by_cookie(session, cookie) is None
            session.rollback()


def test_a_disabled_person_has_no_log_in(database: Database, user: User) -> None:
    login_id, token = open_api(database, user)
    assert is_live(database, login_id)
    with database.session() as session:
        session.merge(user).active = False
    assert not is_live(database, login_id)
    assert rotate(database, token) is None


def test_refresh_tokens_follow_each_other(database: Database, user: User) -> None:
    login_id, token = open_api(database, user)
    for _ in range(3):
        following = rotate(database, token)
        assert following is not None
        assert following != token
        token = following
    assert is_live(database, login_id)


def test_a_refresh_token_that_comes_back_late_ends_the_log_in(database: Database, user: User) -> None:
    login_id, first = open_api(database, user)
    other_id, _ = open_api(database, user)
    second = rotate(database, first)
    age_tokens(database)
    assert rotate(database, first) is None
    assert not is_live(database, login_id)
    assert second is not None
    assert rotate(database, second) is None
    assert is_live(database, other_id)


def test_a_retry_within_the_grace_time_is_answered(database: Database, user: User) -> None:
    login_id, first = open_api(database, user)
    second, again = rotate(database, first), rotate(database, first)
    assert second is not None
    assert second == again  # a family has one living token: a fork could live on unseen
    assert is_live(database, login_id)
    assert rotate(database, second) is not None


def test_a_retry_after_the_answer_was_used_is_no_retry(database: Database, user: User) -> None:
    login_id, first = open_api(database, user)
    second = rotate(database, first)
    assert second is not None
    third = rotate(database, second)
    assert rotate(database, first) is None
    assert not is_live(database, login_id)
    assert third is not None
    assert rotate(database, third) is None
    with database.session(write=False) as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.at)).all()
    assert actions[-1] == "refresh.reused"


def test_the_next_token_follows_from_no_single_secret(database: Database, user: User) -> None:
    _, first = open_api(database, user)
    second = rotate(database, first)
    with database.session(write=False) as session:
        row = session.scalars(select(RefreshToken).order_by(RefreshToken.created_at)).first()
    assert row is not None
    assert second == logins._successor(row, first)
    assert second != logins._successor(RefreshToken(id="another id"), first)
    assert second != logins._successor(row, "another token")


def test_unknown_revoked_and_expired_tokens_are_refused(database: Database, user: User) -> None:
    login_id, token = open_api(database, user)
    assert rotate(database, "pynr_unknown") is None
    with database.session() as session:
        logins.revoke(session, login_id)
    assert rotate(database, token) is None
    _, token = open_api(database, user)
    with database.session() as session:
        session.execute(update(Login).values(expires_at=utc_now()))
    assert rotate(database, token) is None


def test_expired_log_ins_are_swept_at_the_next_one(database: Database, user: User) -> None:
    open_api(database, user)
    with database.session() as session:
        session.execute(update(Login).values(expires_at=utc_now() - timedelta(seconds=1)))
    login_id, _ = open_api(database, user)
    with database.session(write=False) as session:
        assert session.scalars(select(Login.id)).all() == [login_id]
        assert len(session.scalars(select(RefreshToken)).all()) == 1
