"""Read the command line's options into values: lists of names, parameters, shares."""

import csv
from collections.abc import Sequence
from typing import Any, Literal

from pynomaly.detection import catalogue
from pynomaly.errors import UsageError


def names(given: Sequence[str]) -> list[str]:
    """Split comma-separated names; a name with a comma in it is put in double quotes.

    >>> names(["a,b", '"c,d"'])
    ['a', 'b', 'c,d']
    """
    return [name for row in csv.reader(given, skipinitialspace=True) for name in row if name]


def parameters(algorithm: str, given: Sequence[str]) -> dict[str, Any]:
    """Read `name=value` options with the algorithm's own types.

    Raises UsageError for one without "=" or given twice, UnknownAlgorithm or BadParameter for what the
    catalogue refuses.

    >>> parameters("isolation_forest", ["n_trees=200"])
    {'n_trees': 200}
    """
    entry = catalogue.get(algorithm)
    read: dict[str, Any] = {}
    for option in given:
        name, equals, text = option.partition("=")
        if not equals:
            raise UsageError(f"--param takes name=value, such as n_trees=200, not {option!r}.")
        if name.strip() in read:
            raise UsageError(f"--param gives {name.strip()} twice.")
        read[name.strip()] = entry.parameter(name.strip()).parse(text, algorithm)
    return read


def share(text: str) -> Any | Literal["auto"]:
    """Read a share of rows; a word that is no number stays one, for the library to accept or refuse.

    >>> share("0.05"), share("auto")
    (0.05, 'auto')
    """
    try:
        return float(text)
    except ValueError:
        return text
