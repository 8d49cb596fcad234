"""A DuckDB connection that can touch only the files that it was given, within limits."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pynomaly.errors import CorruptFile, TableTooLarge
from pynomaly.tables.limits import Limits

if TYPE_CHECKING:
    import duckdb

CUT_SHORT = ("No magic bytes", "outside file", "attempted range")
"""Parts of DuckDB's words for a Parquet file whose end is missing or points nowhere."""


def connect(limits: Limits, folder: Path, files: Iterable[Path] = ()) -> "duckdb.DuckDBPyConnection":
    """Open an in-memory database that reads and writes only under `folder` and reads `files`.

    No extension is ever downloaded or loaded, no address is opened, and the configuration is locked.
    """
    import duckdb

    connection = duckdb.connect(
        config={
            "threads": str(limits.threads or os.cpu_count() or 1),
            "memory_limit": f"{limits.memory_mib}MiB",
            "temp_directory": str(folder / "spill"),
            "max_temp_directory_size": f"{limits.max_bytes // 1024 + 1}KiB",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "python_enable_replacements": "false",
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET allowed_directories = [{literal(str(folder) + os.sep)}]")
    paths = ", ".join(literal(str(file)) for file in files)
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def literal(text: str) -> str:
    """Quote a string for SQL."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def reading(what: str, limits: Limits) -> Iterator[None]:
    """Turn DuckDB's errors about `what` into ours."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException as error:
        raise TableTooLarge(
            f"{what} needs more room than allowed ({limits.memory_mib} MiB of memory and "
            f"{limits.max_bytes / 2**30:.1f} GiB on disk)."
        ) from error
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException):
        raise  # our SQL is wrong, not the file
    except duckdb.Error as error:
        if "maximum_object_size" in str(error):
            raise TableTooLarge(f"{what} holds a value of more than 16 MiB, which is the limit.") from error
        told = first_line(error)
        if any(sign in told for sign in CUT_SHORT):
            raise CorruptFile(f"{what} is damaged or cut short, so it cannot be read.") from error
        raise CorruptFile(f"{what} cannot be read: {told}.") from error


def first_line(error: Exception) -> str:
    """Give DuckDB's message without its class, its advice, the paths of temporary files and the full stop."""
    line = str(error).splitlines()[0].split(": ", 1)[-1]
    return re.sub(
        r"""(?: in| reading| from| of)?(?: file)? ["'](?:/|[A-Za-z]:)[^"']*["']|: /\S+""", "", line
    ).strip(" .:")
