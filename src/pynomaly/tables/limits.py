"""What a table may cost, how a file was written, and which cells could not be read."""

from dataclasses import dataclass

MIB = 1024 * 1024
KEPT_REJECTS = 1000
"""Rejected cells that are kept with their place; all are counted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one table; every reader keeps to them while it reads, not afterwards.

    `max_bad_rows` is a share (0 to 1) of all rows; `max_bytes` counts uncompressed bytes; `memory_mib` is
    what DuckDB may hold in memory (it spills to disk above that); `threads` None means one per processor.
    """

    max_bad_rows: float = 0.01
    max_columns: int = 2000
    max_bytes: int = 16 * 1024 * MIB
    memory_mib: int = 1024
    threads: int | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """One cell (or line) that could not be read; `line` counts from 1 in the uncompressed file."""

    line: int | None
    column: str | None
    value: str
    reason: str

    @property
    def place(self) -> str:
        """Say where it is, for people."""
        line = "" if self.line is None else f"line {self.line}"
        column = "" if self.column is None else f"column {self.column!r}"
        return ", ".join(filter(None, (line, column))) or "somewhere"


@dataclass(frozen=True, slots=True)
class DialectChoice:
    """How a person says that a text file is written; what is None is found out.

    `quote` "" means that no mark quotes; `decimal` is "." or ","; `header` says whether the first row has
    names. Formats that are not delimited text have nothing to choose.
    """

    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    header: bool | None = None
    decimal: str | None = None


AS_FOUND = DialectChoice()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file was written; fields that its format does not have are None."""

    format: str
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header: bool | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    compression: str | None = None
