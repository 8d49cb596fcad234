"""What each column of a table looks like, as JSON values: counts, quantiles, histogram, top values."""

from typing import TYPE_CHECKING, Any, cast

from pynomaly.columns import Column
from pynomaly.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

BINS = 30
TOP = 10
"""Most frequent values that are listed."""
SHOWN = 200
"""Characters of a value that are listed."""
SORTED = 4_000_000
"""Rows above which quantiles, distinct values and histogram are told from every k-th row, to save memory."""
COUNTED = 50_000_000
"""Rows above which duplicates are not counted, to save memory."""
QUANTILES = {"p01": 0.01, "p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99}


def profile(table: Table, tell: "Callable[[float], None] | None" = None) -> list[dict[str, Any]]:
    """Describe all columns; `tell` is told the share that is done.

    Each has name, type, unused, missing, distinct, min, max, mean, std, quantiles, histogram {edges, counts}
    and top [{value, count}]; those that do not fit its type are None. Timestamps are ISO 8601 text; std is in
    seconds for them.
    """
    described: list[dict[str, Any]] = []
    for place, column in enumerate(table.columns):
        described.append(_describe(table, column))
        if tell:
            tell((place + 1) / len(table.columns))
    return described


def count_duplicates(table: Table) -> int | None:
    """Count the rows that equal an earlier row in every column, by a hash of 64 bits; None in huge tables."""
    if table.n_rows > COUNTED:
        return None
    cells = ", ".join(f"c{place}" for place in range(len(table.columns)))
    hashed = f"SELECT hash({cells}) AS h FROM {table.store.source}"
    found = table.store.connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM ({hashed}) GROUP BY h)")
    [different] = found.fetchone() or (table.n_rows,)
    return table.n_rows - int(different)


def _describe(table: Table, column: Column) -> dict[str, Any]:
    """Describe one column."""
    empty = dict.fromkeys(("min", "max", "mean", "std", "quantiles", "histogram", "top"))
    about = {"name": column.name, "type": column.type, "unused": column.unused, **empty}
    cell, kind = table.stored(column.name)
    if kind == "VARCHAR":
        return about | _text(table, cell)
    values = table.frame([column.name])[column.name].values
    if kind == "TIMESTAMP":
        return about | _timestamps(cast("NDArray[np.datetime64]", values))
    return about | _numbers(cast("NDArray[np.float64]", values))


def _text(table: Table, cell: str) -> dict[str, Any]:
    """Describe text inside DuckDB, since a million different values take long to make a dictionary of."""
    present_cells = f"{table.store.source} WHERE {cell} IS NOT NULL"
    counted = f"(SELECT {cell} AS value, count(*) AS n FROM {present_cells} GROUP BY 1)"
    execute = table.store.connection.execute
    distinct, present = execute(f"SELECT count(*), coalesce(sum(n), 0) FROM {counted}").fetchone() or (0, 0)
    top = execute(
        f"SELECT left(value, {SHOWN}), n FROM {counted} ORDER BY n DESC, value LIMIT {TOP}"
    ).fetchall()
    return {
        "missing": table.n_rows - int(present),
        "distinct": distinct,
        "top": [{"value": value, "count": count} for value, count in top],
    }


def _numbers(values: "NDArray[np.float64]") -> dict[str, Any]:
    """Describe numbers."""
    import numpy as np

    missing = int(np.isnan(values).sum())
    present = values[~np.isnan(values)] if missing else values
    if not len(present):
        return {"missing": missing, "distinct": 0}
    low, high = float(present.min()), float(present.max())
    scale = max(abs(low), abs(high)) or 1.0  # squares of numbers near 1.8e308 would overflow
    mean = min(max(float(np.mean(present / scale)) * scale, low), high)
    spread = float(np.std(present / scale)) * scale
    sample = np.sort(present[:: max(1, len(present) // SORTED)])
    return {
        "missing": missing,
        "distinct": _distinct(sample),
        "min": low,
        "max": high,
        "mean": mean,
        "std": spread,
        "quantiles": {name: _quantile(sample, share) for name, share in QUANTILES.items()},
        "histogram": histogram(sample, len(present)),
    }


def _timestamps(values: "NDArray[np.datetime64]") -> dict[str, Any]:
    """Describe timestamps by way of their microseconds since 1970."""
    import numpy as np

    numbers = np.where(np.isnat(values), np.nan, values.astype(np.int64).astype(np.float64))
    found = _numbers(numbers)
    for key in ("min", "max", "mean"):
        if key in found:
            found[key] = _iso(found[key])
    if "std" in found:
        found["std"] /= 1e6
        found["quantiles"] = {name: _iso(value) for name, value in found["quantiles"].items()}
        found["histogram"]["edges"] = [_iso(edge) for edge in found["histogram"]["edges"]]
    return found


def _iso(microseconds: float) -> str:
    """Write microseconds since 1970 as ISO 8601."""
    import numpy as np

    text = str(np.datetime64(round(microseconds), "us"))
    return text.removesuffix(".000000")


def _distinct(ordered: "NDArray[np.float64]") -> int:
    """Count the different values of an ordered array."""
    return 1 + int((ordered[1:] != ordered[:-1]).sum())


def _quantile(ordered: "NDArray[np.float64]", share: float) -> float:
    """Take a quantile of an ordered array, linear between neighbours (type 7 of Hyndman and Fan, 1996)."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    weight = at - low
    between = float(ordered[low] * (1 - weight) + ordered[high] * weight)
    return min(between, float(ordered[high]))  # rounding must not step over the largest number there is


def histogram(ordered: "NDArray[np.float64]", n: int, bins: int = BINS) -> dict[str, list[Any]]:
    """Count an ordered array in equal bins from its least to its greatest value, scaled to `n` rows."""
    import numpy as np

    low, high = float(ordered[0]), float(ordered[-1])
    if low == high:
        return {"edges": [low, high], "counts": [n]}
    step = high / bins - low / bins  # not (high - low) / bins, which may overflow
    edges = [*(min(low + step * k, high) for k in range(bins)), high]  # rounding may step over the end
    below = np.searchsorted(ordered, edges[1:-1], side="left")
    counts = np.diff(below, prepend=0, append=len(ordered))
    return {"edges": edges, "counts": [round(int(count) * n / len(ordered)) for count in counts]}
