"""Pages cover a list once and in order, whatever the limit, and a forged cursor is refused."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from pynomaly.errors import BadCursor, BadValue, InputError
from pynomaly.server.db import Database
from pynomaly.server.paging import Page, Sorts, _decoded, _encoded, page
from pynomaly.server.users.models import User

SORTS = Sorts(User.id, {"created_at": User.created_at, "email": User.email})
NEWEST = "-created_at"
START = datetime(2026, 1, 1, tzinfo=UTC)


def fill(database: Database, number: int) -> list[str]:
    """Make accounts, some of them at the same moment; gives their ids, newest first."""
    with database.session() as session:
        users = [
            User(
                email=f"{i}@example.org", password_hash="", created_at=START + timedelta(microseconds=i // 3)
            )
            for i in range(number)
        ]
        session.add_all(users)
        session.flush()
        return [user.id for user in sorted(users, key=lambda user: (user.created_at, user.id), reverse=True)]


def read(database: Database, cursor: str | None, limit: int, sort: str = NEWEST) -> Page[User]:
    """Read one page."""
    with database.session(write=False) as session:
        return page(session, select(User), SORTS, sort, cursor, limit)


def read_all(database: Database, limit: int, sort: str) -> list[User]:
    """Read page after page."""
    seen: list[User] = []
    cursor = None
    while True:
        one = read(database, cursor, limit, sort)
        assert len(one.items) <= limit
        seen += one.items
        cursor = one.next_cursor
        if cursor is None:
            return seen


def test_pages_cover_everything_once_and_in_order(database: Database) -> None:
    ids = fill(database, 20)
    for limit in (1, 3, 19, 20, 21, 200):
        assert [user.id for user in read_all(database, limit, NEWEST)] == ids
        assert [user.id for user in read_all(database, limit, "created_at")] == ids[::-1]


def test_other_orders(database: Database) -> None:
    fill(database, 12)
    emails = sorted(f"{i}@example.org" for i in range(12))
    assert [user.email for user in read_all(database, 5, "email")] == emails
    assert [user.email for user in read_all(database, 5, "-email")] == emails[::-1]
    for wrong in ("password_hash", "--email", "email desc", ""):
        with pytest.raises(BadValue, match="sort is one of created_at, -created_at, email, -email"):
            read(database, None, 5, wrong)


def test_a_cursor_is_good_for_its_own_order(database: Database) -> None:
    fill(database, 6)
    cursor = read(database, None, 3, "email").next_cursor
    for other in ("-email", NEWEST):
        with pytest.raises(BadCursor):
            read(database, cursor, 3, other)


def test_a_new_row_shifts_nothing(database: Database) -> None:
    ids = fill(database, 6)
    first = read(database, None, 3)
    with database.session() as session:
        session.add(User(email="new@example.org", password_hash=""))
    second = read(database, first.next_cursor, 3)
    assert [user.id for user in first.items + second.items] == ids


def test_an_empty_list_is_one_page(database: Database) -> None:
    assert read(database, None, 50) == Page([], None)


def test_the_limit_is_checked(database: Database) -> None:
    for limit in (0, -1, 201, 1_000_000_000):
        with pytest.raises(InputError):
            read(database, None, limit)


Make = Callable[[object], str]


def packed(value: object) -> str:
    """Make a cursor of any content."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


NIL = "00000000-0000-4000-8000-000000000000"
FORGED = [
    "",
    "x",
    "====",
    "é",
    "\0",
    packed(None),
    packed([]),
    packed([NEWEST, START.isoformat()]),
    packed([START.isoformat(), NIL]),
    packed([NEWEST, START.isoformat(), NIL, 3]),
    packed([NEWEST, START.isoformat(), 3]),
    packed([NEWEST, START.isoformat(), "' or 1=1"]),
    packed([NEWEST, "2026-01-01T00:00:00", NIL]),
    packed([NEWEST, "yesterday", NIL]),
    packed([NEWEST, 3, NIL]),
    packed([None, START.isoformat(), NIL]),
    packed({"a": 1, "b": 2}),
    base64.urlsafe_b64encode(b"[" * 100_000).decode(),
]


def test_forged_cursors_are_refused(database: Database) -> None:
    for cursor in FORGED:
        with pytest.raises(BadCursor):
            read(database, cursor, 10)


@given(st.text(max_size=80))
def test_noise_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        _decoded(cursor, NEWEST, datetime)


@given(st.datetimes(timezones=st.just(UTC)), st.uuids(version=4))
def test_a_cursor_reads_back_what_was_written(moment: datetime, id_: object) -> None:
    cursor = _encoded(NEWEST, moment, str(id_))
    assert _decoded(cursor, NEWEST, datetime) == (moment, str(id_))
