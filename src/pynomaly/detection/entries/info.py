"""One algorithm as users see it, and parameters that several have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any

from pynomaly.detection.parameters import Parameter, Value
from pynomaly.errors import BadParameter, MissingExtra

SCALING = Parameter(
    "scaling",
    "choice",
    "robust",
    "How columns are made comparable: by median and quartile range, by mean and standard deviation, by the "
    "normal score of each value's rank, or not.",
    choices=("robust", "standard", "rank", "none"),
)

PRESETS = ("quick", "balanced", "thorough")
"""From little work to much; "balanced" are the defaults."""

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "torch": ("torch",),
    "tensorflow": ("tensorflow", "keras"),
    "pyod": ("pyod", "skops", "combo", "tqdm"),
}
"""The optional extras that algorithms need, with the packages that each of them installs."""


@cache
def installed(package: str) -> bool:
    """Tell whether a package is there, without importing it."""
    return find_spec(package) is not None


@dataclass(frozen=True)
class AlgorithmInfo:
    """One algorithm as users see it, and where its class lives.

    `extra` names the optional extras that training needs, separated by commas; None: none. `presets` are
    settings that go together, by the names in `PRESETS`: parameters whose values differ from the defaults,
    which are "balanced". Only where more work makes the scores steadier there are any.
    """

    name: str
    title: str
    summary: str
    module: str
    class_name: str
    parameters: tuple[Parameter, ...]
    scaling: str = "none"
    tags: Mapping[str, Any] = field(default_factory=dict)
    extra: str | None = None
    presets: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that training needs and that are not installed; nothing is imported to tell."""
        extras = self.extra.split(",") if self.extra else []
        return tuple(name for extra in extras for name in PACKAGES[extra] if not installed(name))

    @property
    def available(self) -> bool:
        """Whether it can be trained here."""
        return not self.missing

    @property
    def install(self) -> str | None:
        """The command that installs what it needs beyond the base; None when it needs nothing."""
        return f"pip install 'pynomaly-platform[{self.extra}]'" if self.extra else None

    def require(self) -> None:
        """Raise MissingExtra, which names the command, when something it needs is not installed."""
        if self.missing:
            names = " and ".join(self.missing)
            raise MissingExtra(
                f"The algorithm {self.name} needs {names}, not installed here: {self.install}",
                algorithm=self.name,
                extra=self.extra,
                install=self.install,
            )

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

    def preset(self, name: str) -> dict[str, Value]:
        """Give all parameters as a preset has them; the defaults for one that there is not.

        >>> from pynomaly.detection.catalogue import get
        >>> [get("isolation_forest").preset(name)["n_trees"] for name in PRESETS]
        [50, 100, 400]
        """
        return {p.name: p.default for p in self.parameters} | dict(self.presets.get(name, {}))

    def json(self) -> dict[str, Any]:
        """Describe the algorithm as JSON values, for the API, the form and `pynomaly algorithms`."""
        return {
            "name": self.name,
            "title": self.title,
            "summary": self.summary,
            "scaling": self.scaling,
            "tags": dict(self.tags),
            "extra": self.extra,
            "available": self.available,
            "install": self.install,
            "parameters": [parameter.json() for parameter in self.parameters],
        }


def did_you_mean(name: str, names: list[str]) -> str:
    """Name the closest of `names` in a question; nothing when none is close."""
    import difflib  # for messages only

    found = difflib.get_close_matches(str(name).lower(), names, 1)
    return f" Did you mean {found[0]!r}?" if found else ""
