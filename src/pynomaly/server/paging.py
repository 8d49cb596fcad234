"""Pages of a list, newest first: a cursor names the last row seen, so that new rows shift nothing."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from pynomaly.errors import BadCursor, InputError

MAX_LIMIT = 200
T = TypeVar("T")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Sort = tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[str]]


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items of a list, and the cursor of the next page (None: this is the last one)."""

    items: list[T]
    next_cursor: str | None


def page(session: Session, query: Select[T], sort: Sort, cursor: str | None, limit: int) -> Page[T]:
    """Read one page of `query`, newest first.

    Args:
        session: the transaction to read in.
        query: selects one entity, filtered by what the actor may see, without order or limit.
        sort: the entity's time of creation and its identifier, which breaks ties.
        cursor: `next_cursor` of the page before; None for the first page.
        limit: most items, 1 to 200.

    Raises:
        BadCursor: the cursor is not one that this function made.
        InputError: the limit is out of range.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must be between 1 and {MAX_LIMIT}, not {limit}.")
    created_at, id_ = sort
    if cursor is not None:
        query = query.where(tuple_(created_at, id_) < tuple_(*_decoded(cursor)))
    rows = list(session.scalars(query.order_by(created_at.desc(), id_.desc()).limit(limit + 1)))
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], _encoded(getattr(last, created_at.key), getattr(last, id_.key)))


def _encoded(moment: datetime, id_: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([moment.isoformat(), id_]).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[datetime, str]:
    """Read a cursor; it is a filter by values that anyone may know, so it needs no signature."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        moment, id_ = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return _checked(datetime.fromisoformat(moment), id_)
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise BadCursor from error


def _checked(moment: datetime, id_: Any) -> tuple[datetime, str]:
    if moment.tzinfo is None or not isinstance(id_, str) or not UUID.fullmatch(id_):
        raise BadCursor
    return moment, id_
