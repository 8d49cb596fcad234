"""The ways to say which rows are anomalies, and their values. Imports no numeric library."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self, TypedDict, cast

from pynomaly.detection.parameters import Parameter
from pynomaly.errors import BadParameter

Contamination = float | Literal["auto"]

WAYS: Mapping[str, Parameter] = {
    way.name: way
    for way in (
        Parameter(
            "contamination",
            "float",
            "auto",
            "Share of the training rows to flag; auto flags those that stand out, which may be none.",
            0.0,
            0.5,
            exclusive_minimum=True,
            choices=("auto",),
        ),
        Parameter(
            "max_alerts", "int", 10, "Flag so many rows of the training table at most: a budget.", 1, 2**53
        ),
        Parameter(
            "fdr",
            "float",
            0.1,
            "Share of false alarms among the flagged rows, by Benjamini and Hochberg.",
            0.0,
            0.5,
            exclusive_minimum=True,
        ),
        Parameter(
            "quantile",
            "float",
            0.99,
            "Share of the training rows to leave unflagged: the threshold is that quantile of their scores.",
            0.0,
            1.0,
            exclusive_minimum=True,
        ),
    )
}
"""Each way by name; at most one is given. The first one, with "auto", is the default."""


class Ways(TypedDict, total=False):
    """The four keyword arguments that name a way; None: not given."""

    contamination: Contamination | None
    max_alerts: int | None
    fdr: float | None
    quantile: float | None


@dataclass(frozen=True)
class Choice:
    """One way and its value; the way "value" is a threshold given as a score."""

    way: str = "contamination"
    value: Contamination = "auto"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Take the one way that is given (None: it is not); none gives the default.

        Raises:
            BadParameter: more than one is given, or a value is out of its range.

        >>> Choice.of({"fdr": 0.1, "max_alerts": None})
        Choice(way='fdr', value=0.1)
        """
        named = {way: given[way] for way in WAYS if given.get(way) is not None}
        if len(named) > 1:
            raise BadParameter(
                f"Give one of {_either(list(WAYS))}, not {' and '.join(named)} together.",
                parameter=list(named)[-1],
            )
        for way, value in named.items():
            return cls(way, cast(Contamination, WAYS[way].check(value)))
        return cls()

    @classmethod
    def from_json(cls, given: Any) -> Self:
        """Take what `json` gave; raises BadParameter for anything else."""
        if isinstance(given, dict) and list(given) == ["value"]:
            return cls.at(given["value"])
        if not isinstance(given, dict) or len(given) != 1 or not given.keys() <= WAYS.keys():
            raise BadParameter("A threshold is chosen in one way.")
        return cls.of(given)

    @classmethod
    def at(cls, value: Any) -> Self:
        """Choose a score; raises BadParameter when it is not a finite number."""
        plain = value.item() if hasattr(value, "item") else value
        plain_number = isinstance(plain, int | float) and not isinstance(plain, bool)
        if not plain_number or not abs(plain) <= sys.float_info.max:
            raise BadParameter(f"The threshold is a finite number, not {value!r}.", parameter="threshold")
        return cls("value", float(plain))

    @property
    def number(self) -> float:
        """The value, when it is not "auto"."""
        return float(self.value)

    def get(self, way: str) -> Any:
        """Give this way's value; None when another way was chosen."""
        return self.value if way == self.way else None

    def ways(self) -> dict[str, Any]:
        """Give all four ways with their values, None for those not chosen.

        >>> Choice().ways()
        {'contamination': 'auto', 'max_alerts': None, 'fdr': None, 'quantile': None}
        """
        return {way: self.get(way) for way in WAYS}

    def json(self) -> dict[str, Contamination]:
        """Give the way and its value as one JSON object."""
        return {self.way: self.value}


def _either(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1]
