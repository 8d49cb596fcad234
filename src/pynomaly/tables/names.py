"""Which column names and how many columns a table may have."""

from collections import Counter
from collections.abc import Sequence

from pynomaly.errors import BadColumns
from pynomaly.tables.limits import Limits


def check_names(names: Sequence[str], limits: Limits) -> None:
    """Raise BadColumns for too many columns, an empty name or one that is used twice."""
    if len(names) > limits.max_columns:
        raise BadColumns(
            f"The table has {len(names)} columns; at most {limits.max_columns} are allowed.",
            n_columns=len(names),
            limit=limits.max_columns,
        )
    if not names:
        raise BadColumns("The table has no columns.")
    empty = [place for place, name in enumerate(names, 1) if not name.strip()]
    if empty:
        raise BadColumns(
            f"Column {empty[0]} has no name. Give every column a name (a first column without one is often "
            "an index that was written with the table).",
            columns=empty[:100],
        )
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise BadColumns(
            f"The column name {twice[0]!r} is used more than once. Give every column its own name.",
            columns=twice[:100],
        )
