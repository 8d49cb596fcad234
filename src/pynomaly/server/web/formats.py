"""How numbers, times and cells are written on the pages, in the language of the request."""

import math
from datetime import UTC, datetime
from typing import Any

from pynomaly.server.web.language import DEFAULT, language, written
from pynomaly.server.web.language import gettext as _

MISSING = "–"


def count(number: float | None) -> str:
    """Write a whole number with thousands separators.

    >>> count(1234567)
    '1,234,567'
    """
    return MISSING if number is None else written(f"{number:,.0f}")


def number(number: float | None, digits: int = 4) -> str:
    """Write a measured number with `digits` significant digits, never in scientific notation without need.

    >>> [number(value) for value in (0.123456, 12345.678, 0.0, 1e-9, 3.2e15, None)]
    ['0.1235', '12,346', '0', '1e-09', '3.2e+15', '–']
    """
    if number is None or not math.isfinite(number):
        return MISSING
    if number == 0:
        return "0"
    if not 1e-4 <= abs(number) < 1e12:
        return written(f"{number:.{digits}g}")
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(number))))
    text = f"{number:,.{decimals}f}"
    return written(text.rstrip("0").rstrip(".") if "." in text else text)


def aligned(number: float, step: float) -> str:
    """Write one of several numbers that lie `step` apart, with the decimals that tell them apart.

    >>> [aligned(value, 0.005) for value in (0.99, 0.995, 1.0)], aligned(1500.0, 250.0), aligned(2e-9, 1e-9)
    (['0.9900', '0.9950', '1.0000'], '1,500', '2.0e-09')
    """
    if not 1e-6 < step < 1e12 or not math.isfinite(number):
        return written(f"{number:.1e}")
    return written(f"{number:,.{max(0, 1 - math.floor(math.log10(step)))}f}")


def percent(share: float | None, digits: int = 3) -> str:
    """Write a share of 0 to 1 as a percentage.

    >>> percent(0.01234)
    '1.23 %'
    """
    return MISSING if share is None else f"{number(share * 100, digits)} %"


def probability(p_value: float | None) -> str:
    """Write a p-value.

    >>> probability(0.00123456), probability(0.00000123)
    ('0.00123', '< 0.0001')
    """
    if p_value is None:
        return MISSING
    return "< 0.0001" if p_value < 0.0001 else number(p_value, 3)


def size(n_bytes: int | None) -> str:
    """Write a size in bytes.

    >>> size(512), size(178_257_920)
    ('512 B', '178 MB')
    """
    if n_bytes is None:
        return MISSING
    scaled = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if scaled < 1000 or unit == "GB":
            break
        scaled /= 1000
    return f"{number(scaled, 3)} {unit}"


def duration(seconds: float | None) -> str:
    """Write a span of time.

    >>> duration(0.0123), duration(4.26), duration(192)
    ('12 ms', '4.3 s', '3 min 12 s')
    """
    if seconds is None:
        return MISSING
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return written(f"{seconds:.1f} s")
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def utc(when: datetime) -> datetime:
    """Read a time that carries no zone as UTC."""
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def moment(when: datetime | None) -> str:
    """Write a point in time for people.

    >>> moment(datetime(2026, 3, 4, 5, 6, tzinfo=UTC))
    '4 Mar 2026, 05:06 UTC'
    """
    return MISSING if when is None else f"{day(when)}, {utc(when):%H:%M} UTC"


def day(when: datetime | None) -> str:
    """Write a date for people.

    >>> day(datetime(2026, 3, 4, tzinfo=UTC))
    '4 Mar 2026'
    """
    if when is None:
        return MISSING
    if language() == DEFAULT:
        return f"{utc(when).day} {utc(when):%b %Y}"
    from babel.dates import format_date

    return format_date(utc(when), locale=language())


def stamp(when: datetime) -> str:
    """Write a point in time for machines (the `datetime` attribute).

    >>> stamp(datetime(2026, 3, 4, 5, 6, tzinfo=UTC))
    '2026-03-04T05:06:00+00:00'
    """
    return utc(when).isoformat(timespec="seconds")


def value(cell: Any) -> str:
    """Write one cell of a user's table: as it is, long ones cut.

    >>> value(None), value(3.0), value(0.1 + 0.2), value("plain")
    ('–', '3', '0.3', 'plain')
    """
    if cell is None:
        return MISSING
    if isinstance(cell, bool):
        return _("true") if cell else _("false")
    if isinstance(cell, float):
        return f"{cell:.10g}"
    text = str(cell)
    return text if len(text) <= 200 else text[:199] + "…"
