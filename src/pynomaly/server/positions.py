"""Cursors of lists that never change (a stored table, a finished result): how many rows come before it."""

import base64
import json

from pynomaly.errors import BadCursor, InputError
from pynomaly.server.paging import MAX_LIMIT


def check_limit(limit: int) -> int:
    """Return the number of rows of a page; raises InputError unless it is 1 to 200."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit must be between 1 and {MAX_LIMIT}, not {limit}.")
    return limit


def encode(order: str, position: int) -> str:
    """Write the cursor of the page that begins after `position` rows in this order.

    >>> decode(encode("-score", 50), "-score")
    50
    """
    return base64.urlsafe_b64encode(json.dumps([order, position]).encode()).decode().rstrip("=")


def decode(cursor: str | None, order: str) -> int:
    """Read how many rows come before the page; without a cursor, none.

    Raises:
        BadCursor: it is not a cursor, or one of another order.
    """
    if cursor is None:
        return 0
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        given, position = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise BadCursor from error
    if given != order or type(position) is not int or not 0 <= position < 2**62:
        raise BadCursor("The cursor is not one that this list gave in this order.")
    return position
