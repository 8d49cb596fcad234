"""Other figures of `speed.py`: one row, and through the library."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from speed_runs import data

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
    """Time the scoring of one row of ten columns, and its explanation, in microseconds."""
    X, _ = data(FEW, 10)
    row, times = X[:1].copy(), {}
    for name in names:
        algorithm = create(name).fit(X)
        times[name] = seconds(partial(algorithm.score, row), 200) * 1e6
        times[f"{name} explained"] = seconds(partial(algorithm.contributions, row), 30) * 1e6
    if "isolation_forest" in names:
        times |= _forests(X, row)
    return times


def _forests(X: Any, row: Any) -> dict[str, float]:
    from sklearn.ensemble import IsolationForest

    extended = create("isolation_forest", {"extended": True}).fit(X)
    peer = IsolationForest(random_state=0).fit(X)
    return {
        "isolation_forest(extended) explained": seconds(lambda: extended.contributions(row), 30) * 1e6,
        "sklearn.IsolationForest": seconds(lambda: peer.score_samples(row), 20) * 1e6,
    }


def through_library(name: str, rows: int) -> dict[str, Any]:
    """Time an algorithm through `pynomaly.Detector`: fit and score in seconds, one row in microseconds."""
    X, _ = data(rows, 10)
    pynomaly.Detector(name, seed=0).fit(X[:FEW])
    began = time.perf_counter()
    detector = pynomaly.Detector(name, seed=0).fit(X)
    middle = time.perf_counter()
    detector.score(X)
    end = time.perf_counter()
    row = X[:1].copy()
    one = seconds(lambda: detector.score(row), 100) * 1e6
    return {"fit": middle - began, "score": end - middle, "one_row_us": one}
