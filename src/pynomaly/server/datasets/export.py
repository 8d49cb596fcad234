"""What runs in the process that writes a dataset as a file for others: CSV, or Parquet with real names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pynomaly.server.written import OPTIONS, harmless, harmless_name, identifier, unique
from pynomaly.tables.engine import connect, literal, reading
from pynomaly.tables.limits import Limits


def run(payload: dict[str, Any], _progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Write all rows in file order to `target`, alone in its folder.

    In CSV, text that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay.

    Raises:
        TableTooLarge: that needs more memory or disk than it may use.
    """
    source, target, form = Path(payload["source"]), Path(payload["target"]), payload["form"]
    limits = Limits(memory_mib=payload["memory_mib"], threads=1)
    with connect(limits, target.parent, [source]) as connection, reading("The table", limits):
        file = f"read_parquet({literal(str(source))})"
        described = connection.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()
        kinds = {name: kind for name, kind, *_ in described}
        cells = [f"c{place}" for place in range(len(payload["columns"]))]
        names = unique(payload["columns"])
        if form == "csv":
            names = [harmless_name(name) for name in names]
            parts = [harmless(cell) if kinds[cell] == "VARCHAR" else cell for cell in cells]
        else:
            parts = cells
        chosen = ", ".join(f"{part} AS {identifier(name)}" for part, name in zip(parts, names, strict=True))
        connection.execute(f"COPY (SELECT {chosen} FROM {file}) TO {literal(str(target))} ({OPTIONS[form]})")
    return {}
