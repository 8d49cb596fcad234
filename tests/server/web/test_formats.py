"""How numbers, times and cells are written."""

import doctest
from datetime import datetime, timedelta, timezone

import pytest

from pynomaly.server.web import formats, forms, histogram


@pytest.mark.parametrize("module", [formats, forms, histogram])
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (-0.5, "-0.5"),
        (1200.0, "1,200"),
        (99.999, "100"),
        (float("nan"), "–"),
        (float("inf"), "–"),
    ],
)
def test_number(number: float, text: str) -> None:
    assert formats.number(number) == text


def test_missing_is_a_dash_everywhere() -> None:
    for write in (
        formats.count,
        formats.percent,
        formats.size,
        formats.duration,
        formats.moment,
        formats.day,
    ):
        assert write(None) == "–"
    assert formats.probability(None) == formats.value(None) == "–"


def test_sizes() -> None:
    assert [formats.size(n) for n in (0, 1500, 5_000_000_000_000)] == ["0 B", "1.5 kB", "5,000 GB"]


def test_times_are_shown_in_utc() -> None:
    berlin = datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert formats.moment(berlin) == "31 Dec 2025, 23:30 UTC"
    assert formats.moment(datetime(2026, 1, 1, 0, 30)) == "1 Jan 2026, 00:30 UTC"  # noqa: DTZ001 (no zone on purpose)


def test_cells() -> None:
    assert formats.value(True) == "true"
    assert formats.value(False) == "false"
    assert formats.value(12) == "12"
    assert formats.value("x" * 201) == "x" * 199 + "…"
