"""The report of cells and lines that could not be read: where each is, what it holds, why it was left out."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from pynomaly.errors import TooManyBadRows
from pynomaly.tables.convert import Conversion
from pynomaly.tables.limits import KEPT_REJECTS, Limits, Reject

if TYPE_CHECKING:
    import duckdb

SHOWN = 200
"""Characters of a rejected cell or line that are kept."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was rejected; `casts` counts the cells of each column that are not of its type, by place."""

    rejects: tuple[Reject, ...] = ()
    n_rejected: int = 0
    n_bad_rows: int = 0
    n_late: int = 0
    casts: dict[int, int] = field(default_factory=dict)

    def check(self, n_rows: int, name: str, limits: Limits) -> None:
        """Raise TooManyBadRows when the bad rows are more than allowed; `n_rows` counts the good ones."""
        total = n_rows + self.n_bad_rows
        if self.n_bad_rows <= limits.max_bad_rows * total:
            return
        first = self.rejects[0]
        error = TooManyBadRows(
            f"{self.n_bad_rows:,} of {total:,} rows of {name} cannot be read ({self.n_bad_rows / total:.1%}; "
            f"{limits.max_bad_rows:.1%} is allowed). The first: {first.place}: {first.reason}: "
            f"{first.value[:60]!r}.",
            n_bad_rows=self.n_bad_rows,
            n_rows=total,
            rejects=[asdict(reject) for reject in self.rejects[:20]],
        )
        error.rejects, error.n_rejected = [asdict(reject) for reject in self.rejects], self.n_rejected
        raise error


def count_rows(connection: "duckdb.DuckDBPyConnection") -> int:
    """Count the rows of `raw`."""
    found = connection.execute("SELECT count(*) FROM raw").fetchone()
    return int(found[0]) if found else 0


def rows_of(
    connection: "duckdb.DuckDBPyConnection", names: Sequence[str], rejected: Sequence[Conversion]
) -> list[Reject]:
    """Find the first rejected cells of a file without lines, by row."""
    rejects: list[Reject] = []
    for conversion in rejected:
        found = connection.execute(
            f"SELECT rowid, c{conversion.place} FROM raw WHERE {conversion.bad} "
            f"ORDER BY rowid LIMIT {KEPT_REJECTS}"
        ).fetchall()
        rejects += [
            Reject(None, names[conversion.place], value[:SHOWN], f"{conversion.reason} (row {row})")
            for row, value in found
        ]
    return rejects


def with_late(
    connection: "duckdb.DuckDBPyConnection",
    report: Report,
    late: Sequence[Conversion],
    find: Callable[[Sequence[Conversion]], list[Reject]],
) -> Report:
    """Add the cells that contradict a type found only after loading; their rows are still in `raw`.

    `find` gives the rejected cells of conversions, with their places.
    """
    bad = [conversion for conversion in late if conversion.n_bad]
    if not bad:
        return report
    rows = connection.execute(f"SELECT count(*) FROM raw WHERE {' OR '.join(c.bad for c in bad)}").fetchone()
    n_late = int(rows[0]) if rows else 0
    rejects = sorted([*report.rejects, *find(bad)], key=lambda reject: reject.line or 0)[:KEPT_REJECTS]
    return replace(
        report,
        rejects=tuple(rejects),
        n_rejected=report.n_rejected + sum(conversion.n_bad for conversion in bad),
        n_bad_rows=report.n_bad_rows + n_late + sum(conversion.n_hidden for conversion in bad),
        n_late=n_late,
    )
