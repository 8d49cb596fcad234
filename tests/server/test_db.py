"""The database layer: times, transactions, read-only sessions and addresses, on both databases."""

import gc
import sys
import threading
import weakref
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from pynomaly.errors import ConfigurationError, MissingExtra
from pynomaly.server.db import Database, database_url, make_engine, utc_now
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.queue import enqueue
from pynomaly.settings import Settings


def add(session: Session) -> Job:
    return enqueue(session, "test", {}, owner_id=None, subject_id=None)


def count(database: Database) -> int:
    with database.session(write=False) as session:
        return len(session.scalars(select(Job.id)).all())


def test_commits_at_the_end_and_rolls_back_on_an_error(database: Database) -> None:
    with database.session() as session:
        add(session)
    with pytest.raises(ZeroDivisionError), database.session() as session:
        add(session).priority = 1 // 0
    assert count(database) == 1


def test_it_is_let_go_when_nobody_holds_it(settings: Settings) -> None:
    database = Database(settings)
    with database.session() as session:
        add(session)
    assert database.commits == 1
    database.close()
    gone = weakref.ref(database)
    del database, session
    gc.collect()
    assert gone() is None


def test_reading_session_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read.?only"), database.session(write=False) as session:
        add(session)
    with database.session() as session:  # and the next one on that connection can
        add(session)
    assert count(database) == 1


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        enqueue(session, "test", {}, owner_id="nobody", subject_id=None)


def test_times_keep_their_moment(database: Database) -> None:
    there = datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5)))
    with database.session() as session:
        job = add(session)
        job.created_at = there
    with database.session(write=False) as session:
        found = session.get_one(Job, job.id)
        assert found.created_at == there
        assert found.created_at.tzinfo == UTC
        assert found.lease_until is None


def test_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), database.session() as session:
        add(session).created_at = datetime(2026, 3, 1)  # noqa: DTZ001


def test_nan_is_refused_as_json(database: Database) -> None:
    with pytest.raises((StatementError, ValueError)), database.session() as session:
        add(session).payload = {"score": float("nan")}


def test_json_keeps_order_and_odd_characters(database: Database) -> None:
    payload = {"z": 1, "a": ["\0", "\ud800", "ü"], "m": None}
    with database.session() as session:
        job = add(session)
        job.payload = payload
    with database.session(write=False) as session:
        found = session.get_one(Job, job.id).payload
    assert found == payload
    assert list(found) == ["z", "a", "m"]


def test_writers_wait_for_each_other(database: Database) -> None:
    """Every thread reads, then writes: without the lock taken first, SQLite refuses some of them."""

    def work() -> None:
        with database.session() as session:
            job = session.scalars(select(Job).with_for_update()).one()
            job.attempts += 1

    with database.session() as session:
        job_id = add(session).id
    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with database.session(write=False) as session:
        assert session.get_one(Job, job_id).attempts == 16


def test_sqlite_commits_reach_the_disk(settings: Settings, database: Database) -> None:
    if not database.is_sqlite:
        pytest.skip("about SQLite")
    with database.session() as session:
        found = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize(
    "url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense", "postgresql+asyncpg://h/d"]
)
def test_other_databases_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PYNOMALY_DATABASE_URL"):
        make_engine(Settings(home=tmp_path, database_url=url))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_means_psycopg_3(scheme: str, tmp_path: Path) -> None:
    url = database_url(Settings(home=tmp_path, database_url=f"{scheme}://me:secret@host/db"))
    assert url.drivername == "postgresql+psycopg"
    assert url.password == "secret"


def test_missing_psycopg_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match="postgres"):
        make_engine(Settings(home=tmp_path, database_url="postgresql://host/db"))


def test_new_home_is_private(tmp_path: Path) -> None:
    make_engine(Settings(home=tmp_path / "new" / "home")).dispose()
    assert (tmp_path / "new" / "home").stat().st_mode & 0o777 == 0o700


def test_the_database_is_private_in_a_home_that_others_may_read(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with make_engine(Settings(home=tmp_path, database_url="")).begin() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
        files = [path for path in tmp_path.iterdir() if path.name.startswith("pynomaly.db")]
        assert len(files) > 1
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_now_is_utc() -> None:
    assert utc_now().tzinfo == UTC
