"""What `speed.py` compares: fit + score of our algorithms and of the same algorithms elsewhere."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from peers import NAMESAKES, PEERS, Peer

from pynomaly.detection.catalogue import create

Work = Callable[[np.ndarray], Any]

EQUAL = {"n_components": 8}
"""Mixtures of as many components as ours."""

MORE: dict[str, Peer] = {
    "sklearn.KernelDensity": Peer("sklearn.neighbors", "KernelDensity"),
    "sklearn.GaussianMixture": Peer("sklearn.mixture", "GaussianMixture", tuple(EQUAL.items())),
    "pyod.GMM": replace(PEERS["pyod.GMM"], defaults=tuple(EQUAL.items())),
}
NAMES = (
    "isolation_forest",
    "hbos",
    "ecod",
    "copod",
    "robust_z",
    "loda",
    "pca",
    "elliptic_envelope",
    "gmm",
    "cblof",
    "inne",
    "knn",
    "local_outlier_factor",
    "dte_nonparametric",
    "kde",
    "one_class_svm",
    "auto",
)
OTHERS = {
    "knn": ("sklearn.NearestNeighbors", "pyod.KNN"),
    "kde": ("sklearn.KernelDensity", "pyod.KDE"),
    "gmm": ("sklearn.GaussianMixture", "pyod.GMM"),
}
"""Peers that accuracy has no use for, since they are the same as PyOD's."""

OURS, TRAINING = "ours", "ours, training scores"


def sides(algorithm: str) -> list[str]:
    """Name who is timed: ours, ours when the training scores are enough, then the peers."""
    return [OURS, TRAINING, *OTHERS.get(algorithm, NAMESAKES.get(algorithm, ()))]


def work(algorithm: str, side: str) -> Work:
    """Give what is timed: train on a matrix, then score it."""
    if side == OURS:
        return lambda X: create(algorithm).fit(X).score(X)
    if side == TRAINING:
        return lambda X: create(algorithm).fit(X).training_scores_
    if side == "sklearn.NearestNeighbors":
        return _nearest_neighbors
    peer = MORE.get(side) or PEERS[side]
    return lambda X: peer.fit(X, 0)(X)


def _nearest_neighbors(X: np.ndarray) -> np.ndarray:
    """Find each row's sixth nearest row, itself included, as fitting and scoring do: twice."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=6).fit(X)
    found.kneighbors()
    return np.asarray(found.kneighbors(X)[0][:, -1])


def takes(algorithm: str, parameter: str) -> bool:
    """Tell whether an algorithm of ours has a parameter."""
    return parameter in create(algorithm).params


def available(side: str) -> bool:
    """Tell whether a side's library is installed."""
    if not side.startswith("pyod."):
        return True
    try:
        import pyod
    except ImportError:
        return False
    return inspect.ismodule(pyod)
