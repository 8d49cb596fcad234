"""How tables are written for other programs: names of columns, and text that no spreadsheet may run."""

from typing import Literal

Form = Literal["csv", "parquet"]
MEDIA_TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
OPTIONS: dict[str, str] = {
    "csv": "FORMAT csv, HEADER, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%f'",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
    "json": "FORMAT json, ARRAY true, TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%f'",
}
"""DuckDB's options for each format."""
_FORMULA = r"'^[=+\-@\t\r]'"
_NUMBER = r"'^[+-]?[0-9]+([.,][0-9]+)*([eE][+-]?[0-9]+)?$'"


def harmless(source: str) -> str:
    """Write SQL that puts an apostrophe before text that a spreadsheet takes for a formula; numbers stay."""
    runs = f"regexp_matches({source}, {_FORMULA}) AND NOT regexp_matches({source}, {_NUMBER})"
    return f"CASE WHEN {runs} THEN '''' || {source} ELSE {source} END"


def harmless_name(name: str) -> str:
    """Do the same with a column's name."""
    return f"'{name}" if name[:1] in "=+-@\t\r" else name


def identifier(name: str) -> str:
    """Quote a column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def unique(names: list[str]) -> list[str]:
    """Number the names that differ from an earlier one in case only, or not at all.

    >>> unique(["row", "score", "Score", "score_2"])
    ['row', 'score', 'Score_3', 'score_2']
    """
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    out = []
    for name in names:
        count = 2
        fresh = name
        while fresh.casefold() in seen or (fresh is not name and fresh.casefold() in taken):
            fresh, count = f"{name}_{count}", count + 1
        seen.add(fresh.casefold())
        out.append(fresh)
    return out
