"""What `speed.py` compares: fit + score of our algorithms and of the same algorithms elsewhere, timed."""

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from peers import NAMESAKES, PEERS, Peer

from pynomaly.detection.algorithms.neighbours import Neighbours
from pynomaly.detection.catalogue import CATALOGUE, create

OURS = "ours"
EQUAL = {"n_components": 8}
"""Mixtures of as many components as ours."""

MORE: dict[str, Peer] = {
    "sklearn.KernelDensity": Peer("sklearn.neighbors", "KernelDensity"),
    "sklearn.GaussianMixture": Peer("sklearn.mixture", "GaussianMixture", tuple(EQUAL.items())),
    "pyod.GMM": replace(PEERS["pyod.GMM"], defaults=tuple(EQUAL.items())),
}
NAMES = tuple(name for name in (
    "isolation_forest", "hbos", "ecod", "copod", "elliptic_envelope", "knn", "local_outlier_factor", "auto",
    "robust_z", "loda", "pca", "gmm", "cblof", "inne", "dte_nonparametric", "kde", "one_class_svm",
) if name in CATALOGUE)  # fmt: skip
OTHERS = {
    "knn": ("sklearn.NearestNeighbors", "pyod.KNN"),
    "kde": ("sklearn.KernelDensity", "pyod.KDE"),
    "gmm": ("sklearn.GaussianMixture", "pyod.GMM"),
}
"""Peers that accuracy has no use for, since they are the same as PyOD's."""

NEIGHBOURS = {"knn": 5, "local_outlier_factor": 20}
SHARED_CELLS = {
    OURS: 20_000_000,
    "sklearn.NearestNeighbors": 5_000_000,
    "sklearn.LocalOutlierFactor": 5_000_000,
}
"""Beyond so many values of the matrix, neighbours are searched for a share of the rows only."""

SHARE_ROWS = 1_000


@dataclass(frozen=True)
class Took:
    """How long a fit took, and fit and score together: seconds on the clock and of the processors."""

    fit: float
    seconds: float
    processor: float
    scores: np.ndarray | None = None
    share: int | None = None
    """Neighbours were searched for so many rows, and the time multiplied."""


Work = Callable[[np.ndarray], Took]


def sides(algorithm: str) -> list[str]:
    """Name who is timed: ours, then the peers."""
    return [OURS, *OTHERS.get(algorithm, NAMESAKES.get(algorithm, ()))]


def shares(algorithm: str, side: str, cells: int) -> bool:
    """Tell whether neighbours are searched for a share of the rows of a matrix with so many values."""
    return algorithm in NEIGHBOURS and cells > SHARED_CELLS.get(side, cells)


def work(algorithm: str, side: str, cells: int) -> Work:
    """Give what is timed, on matrices of so many values: train on one, then score it."""
    if shares(algorithm, side, cells):
        return lambda X: _by_share(X, side, NEIGHBOURS[algorithm])
    if side == OURS:
        return lambda X: _whole(X, lambda X: create(algorithm).fit(X).score)
    if side == "sklearn.NearestNeighbors":
        return lambda X: _whole(X, _nearest_neighbors)
    peer = MORE.get(side) or PEERS[side]
    return lambda X: _whole(X, lambda X: peer.fit(X, 0))


def _whole(X: np.ndarray, fit: Callable[[np.ndarray], Callable[[np.ndarray], Any]]) -> Took:
    began = _now()
    score = fit(X)
    middle = _now()
    scores = score(X)
    end = _now()
    return Took(middle[0] - began[0], end[0] - began[0], end[1] - began[1], np.asarray(scores))


def _by_share(X: np.ndarray, side: str, k: int) -> Took:
    """Time the index of all rows, and the search for random ones of them, once to fit and once to score."""
    few = X[np.random.default_rng(1).choice(len(X), SHARE_ROWS, replace=False)]
    began = _now()
    search = _our_index(X) if side == OURS else _their_index(X)
    middle = _now()
    search(few, k)
    end, times = _now(), len(X) / len(few)
    once = [times * (b - a) for a, b in zip(middle, end, strict=True)]
    built = [b - a for a, b in zip(began, middle, strict=True)]
    return Took(built[0] + once[0], built[0] + 2 * once[0], built[1] + 2 * once[1], share=len(few))


def _our_index(X: np.ndarray) -> Callable[[np.ndarray, int], Any]:
    return Neighbours(X).query


def _their_index(X: np.ndarray) -> Callable[[np.ndarray, int], Any]:
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors().fit(X).kneighbors


def _nearest_neighbors(X: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Find each row's five nearest others; then, to score rows, six, since each finds itself."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=5).fit(X)
    found.kneighbors()
    return lambda rows: np.asarray(found.kneighbors(rows, 6)[0][:, -1])


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def available(side: str) -> bool:
    """Tell whether a side's library is installed."""
    return not side.startswith("pyod.") or importlib.util.find_spec("pyod") is not None
