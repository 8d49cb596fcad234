"""A table: typed columns with rows in file order, kept in DuckDB (in memory or as a Parquet file)."""

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from pynomaly.columns import Column, ColumnData, Levels
from pynomaly.errors import CorruptFile, FileMissing, LabelError, SchemaMismatch
from pynomaly.tables.engine import connect, literal, reading
from pynomaly.tables.limits import Dialect, Limits, Reject

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    from numpy.typing import NDArray

SCHEMA_KEY = "pynomaly"
LABELS = {"0": 0, "1": 1, "false": 0, "true": 1, "no": 0, "yes": 1, "normal": 0, "anomaly": 1}


@dataclass(frozen=True, slots=True)
class Store:
    """Where the values are: `source` is SQL after FROM with columns c0, c1, …, `row` its row number."""

    connection: "duckdb.DuckDBPyConnection"
    source: str
    row: str
    folder: Path

    def close(self) -> None:
        """Free the memory and the temporary files."""
        self.connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Table:
    """A table with typed columns; use it as a context manager, or call `close`.

    `memory_mib` is what DuckDB may hold of it in memory, and a measure of what its readers should.
    """

    def __init__(
        self,
        store: Store,
        columns: Sequence[Column],
        n_rows: int,
        *,
        rejects: Sequence[Reject] = (),
        n_rejected: int = 0,
        dialect: Dialect | None = None,
    ) -> None:
        """Take over a store whose column c<i> holds `columns[i]`."""
        self.columns = tuple(columns)
        self.n_rows = n_rows
        self.rejects = tuple(rejects)
        self.n_rejected = n_rejected
        self.dialect = dialect
        self.store = store
        self.memory_mib = Limits().memory_mib
        self._places = {column.name: place for place, column in enumerate(self.columns)}
        self._levels: dict[int, tuple[str, ...]] = {}
        self._finalizer = weakref.finalize(self, store.close)

    def __enter__(self) -> Self:
        """Give the table itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the table."""
        self.close()

    def __len__(self) -> int:
        """Count the rows."""
        return self.n_rows

    def close(self) -> None:
        """Free the memory and the temporary files; a closed table cannot be read."""
        self._finalizer()

    def frame(self, names: Sequence[str] | None = None) -> dict[str, ColumnData]:
        """Read whole columns (all of them without `names`), in the order asked for.

        Raises SchemaMismatch when a name is not in the table.
        """
        places = self._find(names)
        self._prepare(places)
        return self._fetch(self.store.connection, places, "")

    def blocks(
        self, names: Sequence[str] | None = None, size: int = 65536
    ) -> Iterator[dict[str, ColumnData]]:
        """Read at most `size` rows at a time, in order; a column has the same levels in every block."""
        fetch = self.reader(names)
        for start in range(0, self.n_rows, size):
            yield fetch(start, start + size)

    def reader(self, names: Sequence[str] | None = None) -> Callable[[int, int], dict[str, ColumnData]]:
        """Give a function that reads the rows from `start` up to `stop`; threads may call it side by side."""
        places = self._find(names)
        row = self.store.row
        self._prepare(places)

        def fetch(start: int, stop: int) -> dict[str, ColumnData]:
            with self.store.connection.cursor() as cursor:
                return self._fetch(cursor, places, f" WHERE {row} >= {start} AND {row} < {stop}")

        return fetch

    def sample(self, rows: "NDArray[np.int64]", names: Sequence[str] | None = None) -> dict[str, ColumnData]:
        """Read the rows at the ascending 0-based numbers `rows`, which are all different."""
        places = self._find(names)
        self._prepare(places)
        row = self.store.row
        with self.store.connection.cursor() as cursor:
            cursor.register("wanted", {"wanted_row": rows})
            try:
                return self._fetch(
                    cursor, places, f" WHERE {row} IN (SELECT wanted_row FROM wanted) ORDER BY {row}"
                )
            finally:
                cursor.unregister("wanted")

    def excerpt(self, rows: "NDArray[np.int64]") -> "Table":
        """Give the rows at the ascending 0-based numbers `rows` as a table of its own, numbered from 0.

        It lives as long as this table does.
        """
        row, values = self.store.row, ", ".join(f"c{place}" for place in range(len(self.columns)))
        with self.store.connection.cursor() as cursor:
            cursor.register("wanted", {"wanted_row": rows})
            cursor.execute(
                f"CREATE TABLE excerpt AS SELECT row_number() OVER (ORDER BY {row}) - 1 AS place, {values} "
                f"FROM {self.store.source} WHERE {row} IN (SELECT wanted_row FROM wanted) ORDER BY {row}"
            )
            cursor.unregister("wanted")
        store = Store(self.store.connection, "excerpt", "place", self.store.folder)
        part = Table(store, self.columns, len(rows))
        part.memory_mib = self.memory_mib
        return part

    def rows(self, indices: Sequence[int], names: Sequence[str] | None = None) -> list[dict[str, Any]]:
        """Read the rows at 0-based `indices`, in that order, as JSON values (timestamps as ISO 8601 text)."""
        places = self._find(names)
        return fetch_rows(self.store, [self.columns[place] for place in places], places, indices)

    def labels(self, name: str) -> "NDArray[np.int8]":
        """Read a label column as 0 (normal) and 1 (anomaly).

        Raises LabelError when it is not in the table, has missing values, or holds anything but 0/1,
        true/false, yes/no or normal/anomaly (in any case).
        """
        import numpy as np

        if name not in self._places:
            raise LabelError(f"There is no column {name!r} to take labels from; there are: {self._names()}.")
        values = self.frame([name])[name].values
        if isinstance(values, Levels):
            table = np.array(
                [LABELS.get(level.strip().lower(), -1) for level in (*values.levels, "")], np.int8
            )
            labels = table[values.codes]
        elif values.dtype.kind == "f":
            labels = np.where(values == 1, 1, np.where(values == 0, 0, -1)).astype(np.int8)
        else:
            labels = np.full(len(values), -1, np.int8)
        if len(labels) and labels.min() < 0:
            row = int(np.argmin(labels))
            value = self.rows([row], [name])[0][name]
            held = "has no value" if value is None else f"holds {value!r}"
            raise LabelError(
                f"Label column {name!r} is not binary: row {row} {held}. "
                "Labels are 0/1, true/false, yes/no or normal/anomaly, with none missing."
            )
        return labels

    def stored(self, name: str) -> tuple[str, str]:
        """Tell how a column is stored: its name in SQL, and DOUBLE, BIGINT, TIMESTAMP or VARCHAR."""
        [place] = self._find([name])
        return f"c{place}", self._kinds[place]

    def _names(self) -> str:
        """List the column names for a message."""
        names = [column.name for column in self.columns]
        return ", ".join(names[:20]) + (", …" if len(names) > 20 else "")

    def _find(self, names: Sequence[str] | None) -> list[int]:
        """Look columns up by name."""
        if names is None:
            return list(range(len(self.columns)))
        missing = [name for name in names if name not in self._places]
        if missing:
            raise SchemaMismatch(f"The table has no column {', '.join(map(repr, missing))}.", missing=missing)
        return [self._places[name] for name in names]

    def _prepare(self, places: Sequence[int]) -> None:
        """Find out the stored types, and make the dictionaries of text columns."""
        for place in places:
            if self._kinds[place] == "VARCHAR":
                self._encode(place)

    def _fetch(
        self, connection: "duckdb.DuckDBPyConnection", places: Sequence[int], where: str
    ) -> dict[str, ColumnData]:
        """Read columns that are prepared as arrays."""
        if not places:
            return {}
        chosen = [(place, self.columns[place], self._kinds[place]) for place in places]
        parts = [f"{_array(kind, place)} AS c{place}" for place, _, kind in chosen]
        query = f"SELECT {', '.join(parts)} FROM {self.store.source}{where}"
        arrays = connection.execute(query).fetchnumpy()
        return {
            column.name: ColumnData(column, self._values(kind, place, arrays[f"c{place}"]))
            for place, column, kind in chosen
        }

    def _values(self, kind: str, place: int, array: Any) -> Any:
        """Shape one fetched array as ColumnData wants it."""
        if kind == "TIMESTAMP":
            return array.view("datetime64[us]")
        if kind == "VARCHAR":
            return Levels(array, self._levels[place])
        return array

    @cached_property
    def _kinds(self) -> list[str]:
        """The stored type of each column: DOUBLE, BIGINT, TIMESTAMP or VARCHAR."""
        names = ", ".join(f"c{place}" for place in range(len(self.columns)))
        described = self.store.connection.execute(
            f"DESCRIBE SELECT {names} FROM {self.store.source}"
        ).fetchall()
        return [row[1] for row in described]

    def _encode(self, place: int) -> None:
        """Make the dictionary of a text column, once."""
        if place in self._levels:
            return
        distinct = f"SELECT DISTINCT c{place} FROM {self.store.source} WHERE c{place} IS NOT NULL ORDER BY 1"
        self.store.connection.execute(f"CREATE TYPE levels{place} AS ENUM ({distinct})")
        self._levels[place] = tuple(level for (level,) in self.store.connection.execute(distinct).fetchall())


def _array(kind: str, place: int) -> str:
    """Write the SQL that turns a stored column into an array without a mask."""
    if kind == "VARCHAR":
        return f"coalesce(enum_code(c{place}::levels{place})::INTEGER, -1)"
    if kind == "TIMESTAMP":
        return f"coalesce(epoch_us(c{place}), -9223372036854775808)"
    return f"coalesce(c{place}::DOUBLE, 'nan'::DOUBLE)"


def fetch_rows(
    store: Store, columns: Sequence[Column], places: Sequence[int], indices: Sequence[int]
) -> list[dict[str, Any]]:
    """Read rows by number as JSON values, in the order of `indices`; raises IndexError for others."""
    wanted = [int(index) for index in indices]
    parts = ", ".join([store.row, *(f"c{place}" for place in places)])
    found = store.connection.execute(
        f"SELECT {parts} FROM {store.source} WHERE {store.row} IN (SELECT unnest(?::BIGINT[]))", [wanted]
    ).fetchall()
    by_row = {row: values for row, *values in found}
    absent = [index for index in wanted if index not in by_row]
    if absent:
        raise IndexError(f"There is no row {absent[0]}.")
    names = [column.name for column in columns]
    return [dict(zip(names, map(jsonable, by_row[index]), strict=True)) for index in wanted]


def jsonable(value: Any) -> Any:
    """Turn a value from DuckDB into one that JSON has."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return value if value == value else None  # NaN
    return value.isoformat()


def open_parquet(path: str | Path, *, memory_mib: int = 1024, threads: int | None = None) -> Table:
    """Open a file that `ingest` wrote; the values stay on disk until they are asked for."""
    path = Path(path).resolve()
    if not path.is_file():
        raise FileMissing(f"There is no file {path.name}.")
    limits = Limits(memory_mib=memory_mib, threads=threads)
    folder = Path(tempfile.mkdtemp(prefix="pynomaly-"))
    connection = connect(limits, folder, [path])
    store = Store(connection, f"read_parquet({literal(str(path))})", "file_row_number", folder)
    try:
        with reading(path.name, limits):
            columns, n_rows = read_schema(connection, literal(str(path)), path.name)
    except BaseException:
        store.close()
        raise
    table = Table(store, columns, n_rows)
    table.memory_mib = memory_mib
    return table


def read_schema(
    connection: "duckdb.DuckDBPyConnection", file: str, name: str
) -> tuple[tuple[Column, ...], int]:
    """Read the columns and the number of rows of a file (SQL text of its path) that `ingest` wrote."""
    found = connection.execute(
        f"SELECT value FROM parquet_kv_metadata({file}) WHERE key = '{SCHEMA_KEY}'"
    ).fetchone()
    if found is None:
        raise CorruptFile(f"{name} was not written by Pynomaly: it has no column schema.")
    schema = json.loads(found[0])
    return tuple(Column(**column) for column in schema["columns"]), schema["n_rows"]
