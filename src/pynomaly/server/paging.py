"""Pages of a list: a cursor names the last row seen, so that new rows shift nothing."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from pynomaly.errors import BadCursor, BadValue, InputError
from pynomaly.server.db import UTCDateTime

MAX_LIMIT = 200
T = TypeVar("T")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Sorts:
    """The orders that a list can be asked for: by these columns, which hold no NULL; `id` breaks ties."""

    id: InstrumentedAttribute[str]
    columns: Mapping[str, ColumnElement[Any] | InstrumentedAttribute[Any]]

    def column(self, sort: str) -> ColumnElement[Any] | InstrumentedAttribute[Any]:
        """The column of an order such as "name" or "-name"; BadValue when there is none."""
        found = self.columns.get(sort.removeprefix("-"))
        if found is None:
            listed = ", ".join(f"{name}, -{name}" for name in self.columns)
            raise BadValue(f"sort is one of {listed}.", pointer="#/sort", place="query")
        return found


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items of a list, and the cursor of the next page (None: this is the last one)."""

    items: list[T]
    next_cursor: str | None


def page(
    session: Session, query: Select[T], sorts: Sorts, sort: str, cursor: str | None, limit: int
) -> Page[T]:
    """Read one page of `query`.

    Args:
        session: the transaction to read in.
        query: selects one entity, filtered by what the actor may see, without order or limit.
        sorts: the orders that this list knows.
        sort: one of them, "-" before it for descending.
        cursor: `next_cursor` of the page before; None for the first page.
        limit: most items, 1 to 200.

    Raises:
        BadCursor: the cursor is not one that this list gave in this order.
        BadValue: there is no such order.
        InputError: the limit is out of range.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must be between 1 and {MAX_LIMIT}, not {limit}.")
    column, descending = sorts.column(sort), sort.startswith("-")
    if cursor is not None:
        value, id_ = _decoded(cursor, sort, _kind(column.type))
        here, last = tuple_(column, sorts.id), tuple_(literal(value, column.type), id_)
        query = query.where(here < last if descending else here > last)
    keys = (column.desc(), sorts.id.desc()) if descending else (column.asc(), sorts.id.asc())
    ordered = query.add_columns(column.label("sorted_by"), sorts.id.label("last_id"))
    rows = session.execute(ordered.order_by(*keys).limit(limit + 1)).all()
    items = [row[0] for row in rows[:limit]]
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, _encoded(sort, rows[limit - 1][-2], rows[limit - 1][-1]))


def _kind(type_: TypeEngine[Any]) -> type:
    return datetime if isinstance(type_, UTCDateTime) else type_.python_type


def _encoded(sort: str, value: Any, id_: str) -> str:
    told = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([sort, told, id_]).encode()).decode().rstrip("=")


def _decoded(cursor: str, sort: str, kind: type) -> tuple[Any, str]:
    """Read a cursor; it is a filter by values that anyone may know, so it needs no signature."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        order, told, id_ = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        value = datetime.fromisoformat(told) if kind is datetime else told
    except (ValueError, TypeError, RecursionError, binascii.Error) as error:
        raise BadCursor from error
    if order != sort or not _is_good(value, kind) or not isinstance(id_, str) or not UUID.fullmatch(id_):
        raise BadCursor
    return value, id_


def _is_good(value: Any, kind: type) -> bool:
    if isinstance(value, datetime):
        return value.tzinfo is not None
    if kind is str:
        return isinstance(value, str) and "\x00" not in value and value.isprintable()
    if kind is float:
        return type(value) in (int, float) and isfinite(value)
    return type(value) is int and abs(value) < 2**63
