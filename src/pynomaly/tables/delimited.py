"""CSV and TSV files into DuckDB, with every rejected cell."""

from pathlib import Path

from pynomaly.errors import TooManyBadRows
from pynomaly.tables.engine import connect, literal, reading
from pynomaly.tables.infer import columns_of
from pynomaly.tables.limits import KEPT_REJECTS, Dialect, Limits, Reject
from pynomaly.tables.names import check_names
from pynomaly.tables.settle import settle
from pynomaly.tables.table import Store, Table

NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT")


def read_delimited(path: Path, name: str, folder: Path, limits: Limits) -> Table:
    """Read one uncompressed file."""
    con = connect(limits, folder, [path])
    with reading(name, limits):
        sniffed = con.execute(f"FROM sniff_csv({literal(str(path))})").fetchone()
        delim, quote, escape, header, columns = (sniffed[i] for i in (0, 1, 2, 6, 7))
        names = [column["name"] for column in columns]
        check_names(names, limits)
        types = ["DOUBLE" if c["type"] in NUMERIC else "TIMESTAMP" if c["type"] in ("DATE", "TIMESTAMP") else "VARCHAR" for c in columns]
        cols = ", ".join(f"'c{i}': '{t}'" for i, t in enumerate(types))
        q = "" if quote == "(empty)" else quote
        con.execute(
            f"CREATE TABLE raw AS FROM read_csv({literal(str(path))}, auto_detect=false, columns={{{cols}}}, "
            f"header={header}, delim={literal(delim)}, quote={literal(q)}, escape={literal(q)}, "
            f"nullstr=['', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL', 'None'], store_rejects=true)"
        )
        found = con.execute("SELECT line, column_idx, csv_line, error_message FROM reject_errors ORDER BY line").fetchall()
    kinds = settle(con, names, {})
    n_rows = con.execute("SELECT count(*) FROM data").fetchone()[0]
    bad = len({row[0] for row in found})
    if bad > limits.max_bad_rows * (bad + n_rows):
        raise TooManyBadRows(f"{bad} of {bad + n_rows} rows cannot be read.")
    rejects = [Reject(l, names[i - 1] if i and i <= len(names) else None, v, m) for l, i, v, m in found[:KEPT_REJECTS]]
    return Table(Store(con, "data", "rowid", folder), columns_of(con, names, kinds), n_rows,
                 rejects=rejects, n_rejected=len(found), dialect=Dialect("csv", delim, q, q, header, ".", None, "utf-8"))
