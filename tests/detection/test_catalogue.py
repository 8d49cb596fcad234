"""The catalogue: names, parameters, and that looking at it costs nothing."""

import json
import subprocess
import sys

import pytest

from pynomaly.detection import catalogue
from pynomaly.detection.catalogue import CATALOGUE, check_parameters, create, get
from pynomaly.detection.entries.info import PRESETS
from pynomaly.errors import BadParameter, UnknownAlgorithm

OURS = [
    "auto",
    "ensemble",
    "isolation_forest",
    "inne",
    "one_class_svm",
    "local_outlier_factor",
    "knn",
    "dte_nonparametric",
    "elliptic_envelope",
    "pca",
    "cblof",
    "ecod",
    "copod",
    "hbos",
    "robust_z",
    "loda",
    "gmm",
    "kde",
]


def test_names_the_algorithms_the_default_first_and_those_of_extras_last():
    names = list(CATALOGUE)
    assert names[: len(OURS)] == OURS
    assert names[len(OURS) : len(OURS) + 2] == ["autoencoder", "keras_autoencoder"]
    others = names[len(OURS) + 2 :]
    assert len(others) >= 38
    assert all(name.startswith("pyod.") for name in others)
    assert [name for name, entry in CATALOGUE.items() if entry.extra is None] == OURS
    assert names[0] == catalogue.DEFAULT


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
        default = parameter.default
        written = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)
        assert parameter.parse(written, name) == default
        assert parameter.help.endswith(".")
    assert len({p.name for p in entry.parameters}) == len(entry.parameters)


@pytest.mark.parametrize(("name", "hint"), [("isolation_forrest", "isolation_forest"), ("SVDD", ""), (7, "")])
def test_unknown_names_are_refused_with_a_hint(name, hint):
    with pytest.raises(UnknownAlgorithm, match="There are: " + ", ".join(OURS)) as caught:
        get(name)
    assert ("Did you mean" in caught.value.message) == bool(hint)
    assert hint in caught.value.message
    assert caught.value.message.endswith(", autoencoder, keras_autoencoder, and pyod.<Name>.")


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


def test_presets_are_settings_that_the_algorithm_takes() -> None:
    """Each differs from the defaults, and thorough never asks for less than quick."""
    with_presets = [info for info in CATALOGUE.values() if info.presets]
    assert len(with_presets) >= 8
    for info in with_presets:
        assert set(info.presets) == {"quick", "thorough"}
        quick, balanced, thorough = (info.preset(name) for name in PRESETS)
        for values in (quick, balanced, thorough):
            assert check_parameters(info.name, values) == values
        assert quick != balanced != thorough
        for name in info.presets["quick"]:
            assert quick[name] < balanced[name] < thorough[name]  # type: ignore[operator]
