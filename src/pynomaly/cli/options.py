"""Options that several verbs take, read into values: an algorithm, its parameters, columns, the threshold."""

import csv
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from pynomaly.detection import catalogue
from pynomaly.detection.catalogue import DEFAULT
from pynomaly.detection.choice import WAYS
from pynomaly.errors import UsageError

Algorithm = Annotated[
    str | None,
    typer.Option(
        "--algorithm", "-a", metavar="NAME", help=f"See `pynomaly algorithms`. [default: {DEFAULT}]"
    ),
]
Param = Annotated[
    list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; repeatable.")
]
Contamination = Annotated[
    str | None,
    typer.Option(metavar="SHARE", help="Flag this share of the training rows, or auto. [default: auto]"),
]
MaxAlerts = Annotated[
    str | None, typer.Option(metavar="N", help="Flag N rows of the training table at most: a budget.")
]
Fdr = Annotated[
    str | None, typer.Option(metavar="SHARE", help="Share of false alarms to allow among the flagged rows.")
]
Quantile = Annotated[
    str | None, typer.Option(metavar="SHARE", help="Flag what scores above this share of the training rows.")
]
Columns = Annotated[
    list[str] | None, typer.Option(metavar="A,B,…", help="Columns to use; repeatable. [default: all]")
]
Seed = Annotated[int | None, typer.Option(metavar="N", help="Makes random choices repeatable. [default: 0]")]


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


def recipe(
    algorithm: str | None, param: Sequence[str] | None, columns: Sequence[str] | None, seed: int | None
) -> dict[str, Any]:
    """Put what was given of a recipe together.

    >>> recipe("hbos", ["n_bins=20"], None, None)
    {'algorithm': 'hbos', 'parameters': {'n_bins': 20}}
    """
    given = {
        "algorithm": algorithm,
        "parameters": parameters(algorithm or DEFAULT, param) if param else None,
        "columns": names(columns) if columns else None,
        "seed": seed,
    }
    return {name: value for name, value in given.items() if value is not None}


def option(name: str) -> str:
    """Write a parameter's name as an option.

    >>> option("max_alerts")
    '--max-alerts'
    """
    return "--" + name.replace("_", "-")
