"""Other figures of `speed.py`: one row, through the library, and what the approximate search loses."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from speed_runs import data
from speed_sides import takes

import pynomaly
from pynomaly.detection.catalogue import create

FEW = 1_000


def seconds(run: Callable[[], Any], repeats: int) -> float:
    """Run and give the shortest time."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return min(times)


def one_row(names: list[str]) -> dict[str, Any]:
    """Time the scoring of one row and its explanation, and scikit-learn's forest, in microseconds."""
    from sklearn.ensemble import IsolationForest

    X, times = data(FEW, 10), {}
    row = X[:1].copy()
    for name in names:
        algorithm = create(name).fit(X)
        times[name] = seconds(partial(algorithm.score, row), 200) * 1e6
        times[f"{name} explained"] = seconds(partial(algorithm.contributions, row), 30) * 1e6
    peer = IsolationForest(random_state=0).fit(X)
    times["sklearn isolation_forest"] = seconds(lambda: peer.score_samples(row), 20) * 1e6
    return times


def through_library(rows: int) -> dict[str, Any]:
    """Time the forest through `pynomaly.Detector`: fit and score in seconds, one row in microseconds."""
    X = data(rows, 10)
    detector = pynomaly.Detector("isolation_forest", seed=0).fit(X)
    row = X[:1].copy()
    return {
        "rows": rows,
        "fit": seconds(lambda: pynomaly.Detector("isolation_forest", seed=0).fit(X), 3),
        "score": seconds(lambda: detector.score(X), 3),
        "one_row_us": seconds(lambda: [detector.score(row) for _ in range(1000)], 3) * 1e3,
    }


def approximate_search(rows: int, columns: int) -> dict[str, Any]:
    """Compare the approximate search of neighbours with the exact one: recall, and correlations of scores."""
    if not takes("local_outlier_factor", "search"):
        return {"skipped": "there is no approximate search"}
    X, found = data(rows, columns), {}
    for search in ("exact", "approximate"):
        began = time.perf_counter()
        lof = create("local_outlier_factor", {"search": search}).fit(X)
        found[f"{search}_seconds"] = time.perf_counter() - began
        few = lof._points[: 20 * FEW]
        found[search] = lof._neighbours.query(few, lof._k)[1], lof.training_scores_
    (true, factors), (near, guessed) = found.pop("exact"), found.pop("approximate")
    shared = [len(np.intersect1d(*pair)) for pair in zip(true, near, strict=True)]
    distances = [
        create("knn", {"search": search}).fit(X).training_scores_ for search in ("exact", "approximate")
    ]
    return {
        "rows": rows,
        "columns": columns,
        **found,
        "recall": float(np.mean(shared) / true.shape[1]),
        "lof_correlation": float(np.corrcoef(factors, guessed)[0, 1]),
        "knn_correlation": float(np.corrcoef(*distances)[0, 1]),
    }
