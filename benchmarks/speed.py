"""Times fit + score of our algorithms beside scikit-learn's and PyOD's: `python benchmarks/speed.py
[--quick]`.

Prints a table and one JSON line. Peers run in this process, on the same matrix, with the same parameters.
Each time is the best of several; kernels are compiled before. "fit + score" scores the training matrix once
more after `fit`; "detect" is what `pynomaly.detect` needs: our `fit` has scored the training rows already.
"""

import argparse
import json
import os
import platform
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn import covariance, ensemble, neighbors, svm

import pynomaly
from pynomaly.detection.algorithms.threads import thread_count
from pynomaly.detection.algorithms.warm import warm_up
from pynomaly.detection.catalogue import create

PEERS: dict[str, Callable[[], Any]] = {
    "isolation_forest": lambda: ensemble.IsolationForest(random_state=0),
    "one_class_svm": svm.OneClassSVM,
    "local_outlier_factor": lambda: neighbors.LocalOutlierFactor(novelty=True),
    "elliptic_envelope": lambda: covariance.EllipticEnvelope(random_state=0),
}
PYOD = {
    "isolation_forest": ("pyod.models.iforest", "IForest", {"random_state": 0}),
    "one_class_svm": ("pyod.models.ocsvm", "OCSVM", {}),
    "local_outlier_factor": ("pyod.models.lof", "LOF", {}),
    "elliptic_envelope": ("pyod.models.mcd", "MCD", {"random_state": 0}),
}


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Run `work` and give the shortest time."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def pyod_model(name: str) -> Any:
    """Make PyOD's detector; None when PyOD is not installed."""
    module, cls, given = PYOD[name]
    try:
        return getattr(__import__(module, fromlist=[cls]), cls)(**given)
    except ImportError:
        return None


def compare(name: str, X: np.ndarray, repeats: int) -> dict[str, Any]:
    """Time one algorithm and its peers on one matrix."""
    row: dict[str, Any] = {"algorithm": name, "rows": X.shape[0], "columns": X.shape[1]}
    row["ours_detect"] = seconds(lambda: create(name).fit(X), repeats)
    row["ours_fit_score"] = seconds(lambda: create(name).fit(X).score(X), repeats)
    row["sklearn_fit_score"] = seconds(lambda: PEERS[name]().fit(X).score_samples(X), max(1, repeats - 1))
    if pyod_model(name) is not None:
        row["pyod_fit_score"] = seconds(
            lambda: pyod_model(name).fit(X).decision_function(X), max(1, repeats - 1)
        )
    row["times_sklearn"] = row["sklearn_fit_score"] / row["ours_fit_score"]
    row["times_pyod"] = row.get("pyod_fit_score", float("nan")) / row["ours_fit_score"]
    return row


def one_row(X: np.ndarray) -> dict[str, float]:
    """Time the scoring of one row: ours of every algorithm, and scikit-learn's forest, in microseconds."""
    few, times = X[:1000], {}
    for name in PEERS:
        algorithm = create(name).fit(few)
        times[name] = seconds(partial(algorithm.score, few[:1]), 300) * 1e6
        times[f"{name} explained"] = seconds(partial(algorithm.contributions, few[:1]), 50) * 1e6
    peer = PEERS["isolation_forest"]().fit(few)
    times["sklearn isolation_forest"] = seconds(lambda: peer.score_samples(few[:1]), 20) * 1e6
    return times


def show(table: list[dict[str, Any]]) -> None:
    """Print the comparison, times in seconds."""
    names = ("ours_detect", "ours_fit_score", "sklearn_fit_score", "pyod_fit_score")
    print(f"{'seconds':22}{'rows x columns':>16}  {'detect':>9}{'fit+score':>10}{'sklearn':>9}{'pyod':>9}")
    for row in table:
        times = "".join(f"{row.get(name, float('nan')):>9.3f} " for name in names)
        ratios = f"{row['times_sklearn']:.1f}x scikit-learn, {row['times_pyod']:.1f}x PyOD"
        print(f"{row['algorithm']:22}{row['rows']:>11} x {row['columns']:<2}  {times} {ratios}")


def through_library(X: np.ndarray) -> dict[str, float]:
    """Time the forest through `pynomaly.Detector`: fit and score in seconds, one row in microseconds."""
    fit = seconds(lambda: pynomaly.Detector(seed=0).fit(X), 3)
    detector = pynomaly.Detector(seed=0).fit(X)
    row = X[:1].copy()
    return {
        "fit": fit,
        "score": seconds(lambda: detector.score(X), 3),
        "one_row_us": seconds(lambda: [detector.score(row) for _ in range(1000)], 3) * 1e3,
    }


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small matrices only")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the isolation forest's matrix")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    warm_up()
    rows = 50_000 if options.quick else options.rows
    X = np.random.default_rng(0).normal(size=(rows, 10))
    few = 2_000 if options.quick else 10_000
    table = [compare("isolation_forest", X, 3)]
    table += [compare(name, X[:few].copy(), 1) for name in PEERS if name != "isolation_forest"]
    show(table)
    single = one_row(X)
    print("\none row:", ", ".join(f"{name} {value:.1f} us" for name, value in single.items()))
    library = through_library(X)
    told = ", ".join(f"{name} {value:.3g}" for name, value in library.items())
    print(f"forest through pynomaly.Detector: {told}")
    machine = {"threads": thread_count(), "cpus": os.cpu_count(), "python": platform.python_version()}
    found = {"table": table, "one_row_us": single, "library": library}
    print(json.dumps({"benchmark": "speed", "machine": machine, **found}))


if __name__ == "__main__":
    main()
