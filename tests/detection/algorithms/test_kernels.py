"""Compiled kernels: one version of each, cached where that is possible."""

import importlib
import json
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

import pynomaly
from pynomaly.detection import algorithms
from pynomaly.detection.algorithms import kernels, warm
from pynomaly.detection.catalogue import CATALOGUE, create


def compiled():
    """For each kernel that Python has called, for how many kinds of arrays it is compiled."""
    found = {}
    for module in pkgutil.iter_modules(algorithms.__path__, f"{algorithms.__name__}."):
        if module.name.endswith("_kernels"):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, Dispatcher) and value.signatures:
                    found[f"{value.py_func.__module__}.{name}"] = len(value.signatures)
    return found


def test_warming_up_compiles_every_kernel_for_the_one_kind_of_arrays_that_is_used():
    code = "import json, test_kernels; print(json.dumps(test_kernels.kinds()))"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    warmed, used = json.loads(done.stdout)
    assert used == warmed
    assert {name: kinds for name, kinds in used.items() if kinds != 1} == {}
    assert len(used) > 40


def kinds():
    """What is compiled after warming up, and after using everything."""
    warm.warm_up()
    warmed = compiled()
    use_all()
    return warmed, compiled()


def use_all():
    """Train, restore, score and explain by each algorithm, with arrays of several layouts."""
    for name in (name for name, entry in CATALOGUE.items() if entry.extra is None):
        for X in (np.ones((50, 3)), np.asfortranarray(np.eye(30)), np.arange(60).reshape(20, 3)[:, ::-1]):
            algorithm = create(name).fit(X)
            again = type(algorithm).from_state(algorithm.params, 0, algorithm.state())
            again.score(X)
            again.contributions(X)


def test_no_folder_to_write_to_means_no_cache(monkeypatch):
    class Dispatcher:
        def enable_caching(self):
            raise RuntimeError("cannot cache function: no locator available")

    dispatcher = Dispatcher()
    monkeypatch.setattr(kernels, "njit", lambda **_: lambda _: dispatcher)
    assert kernels.kernel(len) is dispatcher


@pytest.mark.parametrize("writable_home", [True, False])
def test_works_where_the_installation_cannot_be_written(tmp_path, writable_home):
    """A plain file in the place of each folder that would hold the cache: that stops root as well."""
    package = tmp_path / "site" / "pynomaly"
    shutil.copytree(
        Path(pynomaly.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__", "static")
    )
    (package / "detection" / "algorithms" / "__pycache__").write_text("")
    home = tmp_path / "home"
    if writable_home:
        home.mkdir()
    else:
        home.write_text("")
    code = (
        "from pynomaly.detection.algorithms.svm_kernels import similarity as f; import pynomaly;"
        "f(1.0, 1, 1.0, 1, 1.0); print(pynomaly.__file__, f.stats.cache_path)"
    )
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("NUMBA", "XDG", "COVERAGE", "COV_"))
    }
    environment |= {"HOME": str(home), "PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
        cwd=tmp_path,
    )
    where, cache = done.stdout.split()
    assert where.startswith(str(package))
    assert cache.startswith(str(home)) if writable_home else cache == "None"


def test_warm_up_is_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "pynomaly.detection.algorithms.warm"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Kernels are ready")
    assert done.stderr == ""
