"""One algorithm as users see it, and parameters that several have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pynomaly.detection.parameters import Parameter
from pynomaly.errors import BadParameter

SCALING = Parameter(
    "scaling",
    "choice",
    "robust",
    "How columns are made comparable: by median and quartile range, by mean and standard deviation, by the "
    "normal score of each value's rank, or not.",
    choices=("robust", "standard", "rank", "none"),
)


@dataclass(frozen=True)
class AlgorithmInfo:
    """One algorithm as users see it, and where its class lives."""

    name: str
    title: str
    summary: str
    module: str
    class_name: str
    parameters: tuple[Parameter, ...]
    scaling: str = "none"
    tags: Mapping[str, Any] = field(default_factory=dict)

    def parameter(self, name: str) -> Parameter:
        """Find a parameter by name.

        Raises:
            BadParameter: the algorithm has no such parameter.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        names = ", ".join(p.name for p in self.parameters)
        hint = did_you_mean(name, [p.name for p in self.parameters])
        raise BadParameter(
            f"{self.name} has no parameter {name!r}.{hint} It has: {names}.",
            parameter=name,
            algorithm=self.name,
        )

    def json(self) -> dict[str, Any]:
        """Describe the algorithm as JSON values, for the API, the form and `pynomaly algorithms`."""
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "scaling": self.scaling,
            "tags": dict(self.tags),
            "parameters": [parameter.json() for parameter in self.parameters],
        }


def did_you_mean(name: str, names: list[str]) -> str:
    """Name the closest of `names` in a question; nothing when none is close."""
    import difflib  # for messages only

    found = difflib.get_close_matches(str(name).lower(), names, 1)
    return f" Did you mean {found[0]!r}?" if found else ""
