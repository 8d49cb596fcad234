"""The catalogue: every algorithm's name, typed parameters and tags. Imports no numeric library.

Adding an algorithm is one class in `pynomaly.detection.algorithms` and one entry here; form, API schema,
command-line help, documentation and the contract tests follow from the entry.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pynomaly.detection.parameters import Parameter, Value
from pynomaly.errors import BadParameter, UnknownAlgorithm

if TYPE_CHECKING:
    from pynomaly.detection.algorithms.contract import Algorithm

MAX_SEED = 2**32 - 1

SCALING = Parameter(
    "scaling",
    "choice",
    "robust",
    "How columns are made comparable: by median and quartile range, by mean and standard deviation, or not.",
    choices=("robust", "standard", "none"),
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
        hint = _closest(name, [p.name for p in self.parameters])
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


_ENTRIES = (
    AlgorithmInfo(
        "isolation_forest",
        "Isolation forest",
        "Rows that random cuts set apart early are anomalous. Fast on any size; the best first choice.",
        "pynomaly.detection.algorithms.forest",
        "IsolationForest",
        (
            Parameter(
                "n_trees", "int", 100, "How many random trees; more is steadier and slower.", 1, 10_000
            ),
            Parameter(
                "max_samples",
                "count_or_share",
                "auto",
                "Rows that each tree is grown from: a count, a share of all rows, or auto (at most 256).",
                2,
                choices=("auto",),
            ),
            Parameter(
                "max_features",
                "float",
                1.0,
                "Share of the columns that each tree may cut.",
                0.0,
                1.0,
                exclusive_minimum=True,
            ),
            Parameter("bootstrap", "bool", False, "Draw each tree's rows with replacement."),
        ),
        tags={"speed": "fast", "memory": "low", "explains": "exact", "seeded": True},
    ),
    AlgorithmInfo(
        "one_class_svm",
        "One-class SVM",
        "Learns a smooth border around most rows; rows outside are anomalous. For up to some 100,000 rows.",
        "pynomaly.detection.algorithms.svm",
        "OneClassSVM",
        (
            Parameter(
                "kernel",
                "choice",
                "rbf",
                "Shape of the border.",
                choices=("rbf", "linear", "poly", "sigmoid"),
            ),
            Parameter(
                "nu",
                "float",
                0.5,
                "Upper bound on the share of training rows outside the border.",
                0.0,
                1.0,
                exclusive_minimum=True,
            ),
            Parameter(
                "gamma",
                "float",
                "scale",
                "Reach of one row (rbf, poly, sigmoid): larger is a more wiggly border. "
                "scale: 1 / (columns x variance); auto: 1 / columns.",
                0.0,
                exclusive_minimum=True,
                choices=("scale", "auto"),
            ),
            Parameter("degree", "int", 3, "Degree of the poly kernel.", 1, 10),
            Parameter("coef0", "float", 0.0, "Constant term of the poly and sigmoid kernels."),
            Parameter(
                "tol", "float", 0.001, "When the exact solver stops.", 0.0, 1.0, exclusive_minimum=True
            ),
            Parameter(
                "shrinking", "bool", True, "Let the exact solver set aside settled rows; same result, faster."
            ),
            Parameter(
                "method",
                "choice",
                "auto",
                "exact solves the whole problem; nystroem approximates it, much faster on many rows; "
                "auto is exact up to 10,000 rows.",
                choices=("auto", "exact", "nystroem"),
            ),
            Parameter("n_components", "int", 300, "Rows that stand for all of them with nystroem.", 1, 5_000),
            SCALING,
        ),
        scaling="robust",
        tags={"speed": "slow", "memory": "medium", "explains": "approximation", "seeded": True},
    ),
    AlgorithmInfo(
        "local_outlier_factor",
        "Local outlier factor",
        "Rows in thinner surroundings than their neighbours are anomalous. Finds oddities inside the range.",
        "pynomaly.detection.algorithms.lof",
        "LocalOutlierFactor",
        (
            Parameter("n_neighbors", "int", 20, "How many neighbours a row is compared with.", 1, 10_000),
            Parameter(
                "metric",
                "choice",
                "minkowski",
                "How the distance of two rows is measured.",
                choices=("minkowski", "euclidean", "manhattan", "chebyshev"),
            ),
            Parameter(
                "p", "float", 2.0, "Power of the minkowski distance: 2 is the straight line.", 1.0, 100.0
            ),
            SCALING,
        ),
        scaling="robust",
        tags={"speed": "medium", "memory": "medium", "explains": "approximation", "seeded": False},
    ),
    AlgorithmInfo(
        "elliptic_envelope",
        "Elliptic envelope",
        "Rows far from the bulk, given how the columns vary together, are anomalous. For number columns.",
        "pynomaly.detection.algorithms.elliptic",
        "EllipticEnvelope",
        (
            Parameter(
                "support_fraction",
                "float",
                "auto",
                "Share of the rows that the bulk is estimated from; auto: (rows + columns + 1) / 2.",
                0.0,
                1.0,
                exclusive_minimum=True,
                choices=("auto",),
            ),
            Parameter(
                "assume_centered", "bool", False, "Take the scaled columns' centre as the bulk's centre."
            ),
            Parameter(
                "max_samples",
                "count_or_share",
                "auto",
                "Rows that the bulk is learned from: a count, a share of all rows, or auto (at most 20,000).",
                2,
                choices=("auto",),
            ),
            SCALING,
        ),
        scaling="robust",
        tags={"speed": "medium", "memory": "low", "explains": "exact", "seeded": True},
    ),
)

CATALOGUE: Mapping[str, AlgorithmInfo] = MappingProxyType({entry.name: entry for entry in _ENTRIES})
"""Every algorithm by name, in the order they are shown; the first is the default."""


def get(name: str) -> AlgorithmInfo:
    """Find an algorithm by name.

    Raises:
        UnknownAlgorithm: there is none; the message names the closest one and lists all.
    """
    entry = CATALOGUE.get(str(name))
    if entry is None:
        hint = _closest(name, list(CATALOGUE))
        raise UnknownAlgorithm(
            f"There is no algorithm {name!r}.{hint} There are: {', '.join(CATALOGUE)}.", algorithm=str(name)
        )
    return entry


def check_parameters(name: str, params: Mapping[str, Any]) -> dict[str, Value]:
    """Return all parameters of algorithm `name`: those given, checked, and the defaults of the others.

    Raises:
        UnknownAlgorithm: there is no such algorithm.
        BadParameter: a parameter is unknown, of the wrong type, or out of its range.

    >>> check_parameters("isolation_forest", {"n_trees": 200})["n_trees"]
    200
    """
    entry = get(name)
    given = {key: entry.parameter(key).check(value, name) for key, value in params.items()}
    return {p.name: given.get(p.name, p.default) for p in entry.parameters}


def create(name: str, params: Mapping[str, Any] | None = None, seed: int = 0) -> "Algorithm":
    """Make an untrained algorithm; its module is imported here.

    Raises:
        UnknownAlgorithm, BadParameter: as `check_parameters`; the seed is an integer from 0 to 2**32 - 1.
    """
    checked = check_parameters(name, params or {})
    seed = int(SEED.check(seed, name))
    return load_class(name)(seed=seed, **checked)


def load_class(name: str) -> "type[Algorithm]":
    """Import the class of algorithm `name`."""
    entry = get(name)
    loaded: type[Algorithm] = getattr(importlib.import_module(entry.module), entry.class_name)
    return loaded


SEED = Parameter("seed", "int", 0, "Makes random choices repeatable.", 0, MAX_SEED)


def _closest(name: str, names: list[str]) -> str:
    import difflib  # for messages only

    found = difflib.get_close_matches(str(name).lower(), names, 1)
    return f" Did you mean {found[0]!r}?" if found else ""
