"""The catalogue: every algorithm's name, typed parameters and tags. Imports no numeric library.

Adding an algorithm is one class in `pynomaly.detection.algorithms` and one entry in
`pynomaly.detection.entries`; form, API schema, command-line help, documentation and the contract tests
follow from the entry.
"""

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from pynomaly.detection import members
from pynomaly.detection.entries import (
    borders,
    clusters,
    columns,
    combined,
    covariance,
    deep,
    density,
    forests,
    neighbours,
    pyod,
)
from pynomaly.detection.entries.info import AlgorithmInfo, did_you_mean
from pynomaly.detection.parameters import Parameter, Value
from pynomaly.errors import BadParameter, InputError, UnknownAlgorithm

if TYPE_CHECKING:
    from pynomaly.detection.algorithms.contract import Algorithm

MAX_SEED = 2**32 - 1

_FAMILIES = (
    combined.ENTRIES,
    forests.ENTRIES,
    borders.ENTRIES,
    neighbours.ENTRIES,
    covariance.ENTRIES,
    clusters.ENTRIES,
    columns.ENTRIES,
    density.ENTRIES,
    deep.ENTRIES,
    pyod.ENTRIES,
)

CATALOGUE: Mapping[str, AlgorithmInfo] = MappingProxyType(
    {entry.name: entry for family in _FAMILIES for entry in family}
)
"""Every algorithm by name, in the order they are shown."""

DEFAULT = "auto"
"""The algorithm of those who name none."""


def get(name: str) -> AlgorithmInfo:
    """Find an algorithm by name.

    Raises:
        UnknownAlgorithm: there is none; the message names the closest one and lists all.
    """
    entry = CATALOGUE.get(str(name))
    if entry is None:
        hint = did_you_mean(name, list(CATALOGUE))
        plain = [known for known in CATALOGUE if not known.startswith("pyod.")]
        raise UnknownAlgorithm(
            f"There is no algorithm {name!r}.{hint} There are: {', '.join(plain)}, and pyod.<Name>.",
            algorithm=str(name),
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
    for key, value in given.items():
        if entry.parameter(key).type == "members":
            given[key] = tuple(
                _checked_member(str(spelled), name) for spelled in cast("tuple[str, ...]", value)
            )
    checked = {p.name: given.get(p.name, p.default) for p in entry.parameters}
    if "members" in checked and checked["weights"]:
        _check_weights(name, checked)
    return checked


def member(spelled: str) -> tuple[str, dict[str, Value]]:
    """Read one member of an ensemble: the algorithm's name, and those of its parameters that are given.

    Raises:
        UnknownAlgorithm, BadParameter: as `check_parameters`.

    >>> member("knn(n_neighbors=10)")
    ('knn', {'n_neighbors': 10})
    """
    name, written = members.read(spelled)
    entry = get(name)
    return name, {key: entry.parameter(key).parse(text, name) for key, text in written.items()}


def create(name: str, params: Mapping[str, Any] | None = None, seed: int = 0) -> "Algorithm":
    """Make an untrained algorithm; its module is imported here.

    Raises:
        UnknownAlgorithm, BadParameter: as `check_parameters`; the seed is an integer from 0 to 2**32 - 1.
        MissingExtra: it needs packages that are not installed; the message names the command.
    """
    checked = check_parameters(name, params or {})
    require(name, checked)
    return load_class(name)(seed=check_seed(seed, name), **checked)


def require(name: str, params: Mapping[str, Any]) -> None:
    """Raise MissingExtra unless what algorithm `name` and its members need is installed.

    `params` are checked ones; nothing is imported to tell.
    """
    entry = get(name)
    entry.require()
    for parameter in entry.parameters:
        if parameter.type == "members":
            for spelled in cast("tuple[str, ...]", params.get(parameter.name, parameter.default)):
                get(member(spelled)[0]).require()


def load_class(name: str) -> "type[Algorithm]":
    """Import the class of algorithm `name`."""
    entry = get(name)
    loaded: type[Algorithm] = getattr(importlib.import_module(entry.module), entry.class_name)
    return loaded


def check_seed(value: Any, name: str = "") -> int:
    """Return a seed; raises BadParameter unless it is an integer from 0 to 2**32 - 1."""
    return cast("int", SEED.check(value, name))


def _check_weights(name: str, params: Mapping[str, Any]) -> None:
    weights, count = params["weights"], len(params["members"])
    if len(weights) != count or not any(weights):
        raise BadParameter(
            f"Parameter weights of {name} is one number for each of the {count} members, not all 0; "
            f"these are {len(weights)}: {', '.join(f'{w:g}' for w in weights[:20])}.",
            parameter="weights",
            algorithm=name,
        )


def _checked_member(spelled: str, ensemble: str) -> str:
    try:
        name, parameters = member(spelled)
    except InputError as problem:  # what is wrong is the ensemble's parameter
        problem.details = {"parameter": "members", "algorithm": ensemble, "member": spelled}
        raise
    if any(p.type == "members" for p in get(name).parameters):
        raise BadParameter(
            f"Parameter members of {ensemble} takes algorithms that have no members, not {name}.",
            parameter="members",
            algorithm=ensemble,
        )
    return members.spell(name, parameters)


SEED = Parameter("seed", "int", 0, "Makes random choices repeatable.", 0, MAX_SEED)
