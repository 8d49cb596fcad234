"""Compiled kernels: one version of each, cached where that is possible."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pynomaly
from pynomaly.detection.algorithms import (
    cluster_kernels,
    elliptic_kernels,
    extended_kernels,
    forest_kernels,
    gap_kernels,
    inne_kernels,
    kernels,
    knn_kernels,
    lof_kernels,
    neighbour_kernels,
    occlusion_kernels,
    partition_kernels,
    shapley_kernels,
    svm_kernels,
    warm,
)
from pynomaly.detection.catalogue import CATALOGUE, create


def test_each_kernel_is_compiled_for_one_kind_of_arrays():
    warm.warm_up()
    for name in CATALOGUE:
        for X in (np.ones((50, 3)), np.asfortranarray(np.eye(30)), np.arange(60).reshape(20, 3)[:, ::-1]):
            algorithm = create(name).fit(X)
            again = type(algorithm).from_state(algorithm.params, 0, algorithm.state())
            again.score(X)
            again.contributions(X)
    entry_points = (
        *(
            getattr(forest_kernels, name)
            for name in ("grow_trees", "sum_heaps", "sum_paths", "attribute_paths")
        ),
        neighbour_kernels.find_neighbours,
        partition_kernels.build_tree,
        partition_kernels.find_homes,
        partition_kernels.fill_cells,
        knn_kernels.weigh,
        gap_kernels.share_out,
        svm_kernels.border_distances,
        occlusion_kernels.nearest_references,
        lof_kernels.reach_densities,
        lof_kernels.outlier_factors,
        elliptic_kernels.distance_shares,
        cluster_kernels.assign,
        cluster_kernels.lower,
        cluster_kernels.center_distances,
        extended_kernels.grow_trees,
        extended_kernels.sum_paths,
        extended_kernels.attribute_paths,
        inne_kernels.make_spheres,
        inne_kernels.mean_isolation,
        shapley_kernels.prepare,
        shapley_kernels.fill_tables,
        shapley_kernels.add_shapley_values,
    )
    for entry in entry_points:
        assert len(entry.signatures) == 1, entry


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
