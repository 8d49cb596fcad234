"""Read the command line's options into values: lists of names, parameters, the threshold."""

import csv
from collections.abc import Sequence
from typing import Any

from pynomaly.detection import catalogue
from pynomaly.detection.choice import WAYS
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


def threshold(**given: str | None) -> dict[str, Any]:
    """Read the option that says which rows are anomalies, if one is given, into a keyword argument.

    Raises UsageError for more than one, BadParameter for a value out of its range.

    >>> threshold(contamination=None, fdr="0.05"), threshold(contamination="auto"), threshold()
    ({'fdr': 0.05}, {'contamination': 'auto'}, {})
    """
    named = {way: text for way, text in given.items() if text is not None}
    if len(named) > 1:
        every = ", ".join(option(way) for way in WAYS)
        both = " and ".join(map(option, named))
        raise UsageError(f"{both} say different things: give one of {every}.")
    return {way: WAYS[way].parse(text) for way, text in named.items()}


def option(name: str) -> str:
    """Write a parameter's name as an option.

    >>> option("max_alerts")
    '--max-alerts'
    """
    return "--" + name.replace("_", "-")
