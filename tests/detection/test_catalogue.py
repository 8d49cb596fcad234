"""The catalogue: names, parameters, and that looking at it costs nothing."""

import json
import subprocess
import sys

import pytest

from pynomaly.detection import catalogue
from pynomaly.detection.catalogue import CATALOGUE, check_parameters, create, get
from pynomaly.errors import BadParameter, UnknownAlgorithm


def test_names_the_four_algorithms():
    assert list(CATALOGUE) == [
        "isolation_forest",
        "one_class_svm",
        "local_outlier_factor",
        "elliptic_envelope",
    ]


def test_imports_no_numeric_library():
    code = (
        "import sys, pynomaly.detection.catalogue as c;"
        "c.check_parameters('isolation_forest', {'n_trees': 5});"
        "print([m for m in ('numpy', 'numba', 'sklearn', 'scipy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", CATALOGUE)
def test_entries_are_json_and_their_defaults_are_allowed(name):
    entry = CATALOGUE[name]
    shown = json.loads(json.dumps(entry.json(), allow_nan=False))
    assert shown["name"] == name
    assert shown["title"]
    assert shown["tags"]["explains"] in ("exact", "approximation")
    for parameter in entry.parameters:
        assert parameter.check(parameter.default, name) == parameter.default
        assert parameter.parse(str(parameter.default), name) == parameter.default
        assert parameter.help.endswith(".")
    assert len({p.name for p in entry.parameters}) == len(entry.parameters)


@pytest.mark.parametrize(("name", "hint"), [("isolation_forrest", "isolation_forest"), ("SVDD", ""), (7, "")])
def test_unknown_names_are_refused_with_a_hint(name, hint):
    with pytest.raises(UnknownAlgorithm, match=r"There are: isolation_forest, one_class_svm") as caught:
        get(name)
    assert ("Did you mean" in caught.value.message) == bool(hint)
    assert hint in caught.value.message


def test_parameters_are_completed_with_defaults():
    checked = check_parameters("isolation_forest", {"n_trees": 7})
    assert checked == {
        "n_trees": 7,
        "max_samples": "auto",
        "max_features": 1.0,
        "bootstrap": False,
        "extended": False,
    }


def test_unknown_parameters_are_refused_with_a_hint():
    with pytest.raises(
        BadParameter, match=r"no parameter 'n_tree'. Did you mean 'n_trees'\? It has: n_trees"
    ):
        check_parameters("isolation_forest", {"n_tree": 7})


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", None, True])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(BadParameter, match="seed"):
        create("isolation_forest", {}, seed)


def test_creates_with_parameters_and_seed():
    algorithm = create("local_outlier_factor", {"n_neighbors": 3}, seed=5)
    assert algorithm.name == "local_outlier_factor"
    assert algorithm.params["n_neighbors"] == 3
    assert algorithm.seed == 5
    assert catalogue.load_class("local_outlier_factor") is type(algorithm)
