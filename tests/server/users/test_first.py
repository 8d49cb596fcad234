"""The first administrator comes from the settings or from a link that works once; there is no default one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from pynomaly.errors import BadAccount, BadSetupLink, ConfigurationError
from pynomaly.server.db import Database, utc_now
from pynomaly.server.users import first
from pynomaly.server.users.models import OneTimeLink, User
from pynomaly.server.users.service import authenticate, create_user
from pynomaly.settings import Settings

PASSWORD = "correct horse battery"


def ensure(database: Database, settings: Settings) -> str | None:
    """Start the server once."""
    with database.session() as session:
        return first.ensure(session, settings)


def token_of(path: str | None) -> str:
    """The token of a set-up link."""
    assert path is not None
    assert path.startswith("/setup?token=")
    return path.partition("=")[2]


def set_up(database: Database, token: str, email: str = "ada@example.org") -> User:
    """Use a set-up link."""
    with database.session() as session:
        return first.set_up(session, token, email, PASSWORD)


def test_a_fresh_start_has_nobody_and_a_link_that_works_once(database: Database, settings: Settings) -> None:
    token = token_of(ensure(database, settings))
    with database.session(write=False) as session:
        assert first.is_open(session, token)
        assert not first.is_open(session, token + "x")
        assert session.scalars(select(OneTimeLink.token_hash)).one() != token
    with pytest.raises(BadSetupLink):
        set_up(database, "guess")
    with pytest.raises(BadAccount):
        set_up(database, token, "no address")
    assert set_up(database, token).role == "admin"
    with database.session(write=False) as session:
        assert not first.is_open(session, token)
    with pytest.raises(BadSetupLink):
        set_up(database, token, "eve@example.org")
    assert ensure(database, settings) is None


def test_a_used_link_stays_used_when_nobody_is_left(database: Database, settings: Settings) -> None:
    token = token_of(ensure(database, settings))
    set_up(database, token)
    with database.session() as session:
        session.execute(delete(User))
    with pytest.raises(BadSetupLink):
        set_up(database, token)


def test_other_links_end_when_somebody_has_an_account(database: Database, settings: Settings) -> None:
    token, other = token_of(ensure(database, settings)), token_of(ensure(database, settings))
    assert token != other
    set_up(database, token)
    with pytest.raises(BadSetupLink):
        set_up(database, other, "eve@example.org")


def test_two_links_used_at_once_make_one_administrator(database: Database, settings: Settings) -> None:
    tokens = [token_of(ensure(database, settings)) for _ in range(4)]

    def use(number: int) -> bool:
        try:
            set_up(database, tokens[number], f"user{number}@example.org")
        except BadSetupLink:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(4))) == 1
    with database.session(write=False) as session:
        assert session.scalar(select(func.count()).select_from(User)) == 1


def test_a_link_ends_after_a_day(database: Database, settings: Settings) -> None:
    token = token_of(ensure(database, settings))
    with database.session() as session:
        session.execute(update(OneTimeLink).values(expires_at=utc_now() - timedelta(seconds=1)))
    with pytest.raises(BadSetupLink):
        set_up(database, token)
    ensure(database, settings)
    with database.session(write=False) as session:
        assert session.scalar(select(func.count()).select_from(OneTimeLink)) == 1


def test_the_settings_make_the_administrator_once(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    given = settings.model_copy(update={"admin_email": "Root@example.org", "admin_password_file": file})
    assert ensure(database, given) is None
    assert authenticate(database, "root@example.org", PASSWORD).is_admin
    file.unlink()
    assert ensure(database, given) is None  # the file is not needed any more


def test_half_or_unreadable_settings_are_refused(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text("\n")
    binary.write_bytes(b"\xff\xfe")
    for change in (
        {"admin_email": "root@example.org"},
        {"admin_password_file": empty},
        {"admin_email": "root@example.org", "admin_password_file": tmp_path / "missing"},
        {"admin_email": "root@example.org", "admin_password_file": empty},
        {"admin_email": "root@example.org", "admin_password_file": binary},
    ):
        with pytest.raises(ConfigurationError):
            ensure(database, settings.model_copy(update=change))


def test_another_server_that_made_the_administrator_first_is_no_error(
    database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    with database.session() as session:
        create_user(session, "root@example.org", PASSWORD, role="admin")
    monkeypatch.setattr(first, "has_users", lambda _session: False)
    given = settings.model_copy(update={"admin_email": "root@example.org", "admin_password_file": file})
    assert ensure(database, given) is None
