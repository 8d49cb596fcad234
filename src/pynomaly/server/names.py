"""Names that people give to things: what is allowed, and how a file's name becomes one."""

import re

from pynomaly.errors import BadValue

MAX_NAME = 200
MAX_FILENAME = 255
MAX_COLUMN_NAME = 10_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\ud800-\udfff]")


def check_name(name: str, field: str = "name") -> str:
    """Return the name without surrounding blanks.

    Raises:
        BadValue: it is empty, longer than 200 characters, or holds control characters.
    """
    name = name.strip()
    if not name or len(name) > MAX_NAME or _CONTROL.search(name):
        raise BadValue(
            f"The {field} has 1 to {MAX_NAME} characters and no control characters.", pointer=f"#/{field}"
        )
    return name


def check_column(name: str, field: str) -> str:
    """Return a column's name as it is.

    Raises:
        BadValue: it is empty, far too long, or holds NUL or a lone surrogate, which no file has.
    """
    if not name or len(name) > MAX_COLUMN_NAME or re.search(r"[\x00\ud800-\udfff]", name):
        raise BadValue("A column's name is not empty and holds no NUL character.", pointer=f"#/{field}")
    return name


def plain_filename(filename: str) -> str:
    """Reduce what a client calls a file to a plain file name.

    >>> plain_filename("C:\\\\data\\\\x.csv"), plain_filename("../../etc/passwd"), plain_filename("..")
    ('x.csv', 'passwd', 'table')
    """
    name = _CONTROL.sub("", re.split(r"[/\\]", filename)[-1]).strip()
    return name[-MAX_FILENAME:] if name.strip(".") else "table"


def name_from(filename: str) -> str:
    """Make a dataset's name of its file's name.

    >>> name_from("sales 2024.csv.gz")
    'sales 2024'
    """
    stem = re.sub(
        r"(\.(csv|tsv|txt|json|jsonl|ndjson|parquet|xlsx?|gz|zst))+$", "", filename, flags=re.IGNORECASE
    )
    return (stem or filename)[:MAX_NAME]
