"""Answers of a server as tables of text, in which nothing can play tricks on the terminal."""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import typer

MOST_TEXT = 1000


def show(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Print rows with a line of titles; what has no rows is one word."""
    if not rows:
        typer.echo("none")
        return
    print_table([[text(row.get(field)) for field in columns] for row in rows], list(columns.values()))


def show_one(row: Mapping[str, Any], fields: Sequence[str]) -> None:
    """Print some fields of one thing, each in a line of its own."""
    there = [field for field in fields if row.get(field) is not None]
    print_table([[field.replace("_", " "), text(row[field])] for field in there])


def print_table(rows: Sequence[Sequence[str]], titles: Sequence[str] = ()) -> None:
    """Print cells in columns; a terminal's width is kept, in a pipe no line is broken."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=bool(titles))
    for index, title in enumerate(titles or rows[0]):  # the first is what people copy
        table.add_column(title if titles else "", overflow="fold", header_style="none", no_wrap=not index)
    for row in rows:
        table.add_row(*map(Text, row))
    width = None if sys.stdout.isatty() else 100_000
    Console(file=sys.stdout, width=width, highlight=False, markup=False, no_color=True).print(table)


def text(value: Any) -> str:
    """Write one cell.

    >>> text(None), text(True), text(0.25), text(["a", "b"]), text(1234567)
    ('–', 'yes', '0.25', 'a, b', '1,234,567')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%MZ}"
    if isinstance(value, list):
        return plain(", ".join(map(text, value)))
    if isinstance(value, dict):
        return plain(", ".join(f"{key}={text(one)}" for key, one in value.items()))
    return plain(str(value))


def plain(words: str) -> str:
    r"""Write out what a terminal would obey instead of show, such as the escape that begins a colour.

    >>> plain("a\x1b[31m\nb")
    'a\\x1b[31m\\nb'
    """
    shown = words if len(words) <= MOST_TEXT else words[: MOST_TEXT - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in shown)
