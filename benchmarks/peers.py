"""The detectors that ours are compared with: scikit-learn's and PyOD's, with their default parameters."""

import importlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

SLOW_ROWS = 6_000
"""More training rows than these are not given to peers whose memory or time grows with their square."""


@dataclass(frozen=True)
class Peer:
    """One detector of another library; `most_rows` is where it stops being feasible."""

    module: str
    name: str
    defaults: tuple[tuple[str, Any], ...] = ()
    most_rows: int | None = None

    def fit(self, X: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
        """Train with the defaults; gives the function that scores rows, higher being more anomalous."""
        made = getattr(importlib.import_module(self.module), self.name)
        seeded = {"random_state": seed} if "random_state" in inspect.signature(made).parameters else {}
        detector = made(**dict(self.defaults), **seeded)
        detector.fit(X)
        if self.module.startswith("sklearn"):
            return lambda rows: -detector.score_samples(rows)
        return lambda rows: np.asarray(detector.decision_function(rows))


def _pyod(module: str, name: str, most_rows: int | None = None) -> Peer:
    return Peer(f"pyod.models.{module}", name, (), most_rows)


PEERS = {
    "sklearn.IsolationForest": Peer("sklearn.ensemble", "IsolationForest"),
    "sklearn.EllipticEnvelope": Peer("sklearn.covariance", "EllipticEnvelope"),
    "sklearn.OneClassSVM": Peer("sklearn.svm", "OneClassSVM"),
    "sklearn.SGDOneClassSVM": Peer("sklearn.linear_model", "SGDOneClassSVM"),
    "sklearn.LocalOutlierFactor": Peer("sklearn.neighbors", "LocalOutlierFactor", (("novelty", True),)),
    "pyod.ABOD": _pyod("abod", "ABOD", SLOW_ROWS),
    "pyod.CBLOF": _pyod("cblof", "CBLOF"),
    "pyod.CD": _pyod("cd", "CD"),
    "pyod.COF": _pyod("cof", "COF", SLOW_ROWS),
    "pyod.COPOD": _pyod("copod", "COPOD"),
    "pyod.ECOD": _pyod("ecod", "ECOD"),
    "pyod.GMM": _pyod("gmm", "GMM"),
    "pyod.HBOS": _pyod("hbos", "HBOS"),
    "pyod.HDBSCAN": _pyod("hdbscan", "HDBSCAN"),
    "pyod.IForest": _pyod("iforest", "IForest"),
    "pyod.INNE": _pyod("inne", "INNE"),
    "pyod.KDE": _pyod("kde", "KDE"),
    "pyod.KNN": _pyod("knn", "KNN"),
    "pyod.KPCA": _pyod("kpca", "KPCA", SLOW_ROWS),
    "pyod.LODA": _pyod("loda", "LODA"),
    "pyod.LOF": _pyod("lof", "LOF"),
    "pyod.MCD": _pyod("mcd", "MCD"),
    "pyod.OCSVM": _pyod("ocsvm", "OCSVM"),
    "pyod.PCA": _pyod("pca", "PCA"),
    "pyod.QMCD": _pyod("qmcd", "QMCD", SLOW_ROWS),
    "pyod.SOD": _pyod("sod", "SOD", SLOW_ROWS),
    "pyod.Sampling": _pyod("sampling", "Sampling"),
}
"""Left out: detectors that need torch (AutoEncoder, DeepSVDD, LUNAR, …) or `combo` (FeatureBagging, SUOD),
that take other detectors as members (LSCP), one column only (MAD), or more than minutes on a thousand rows
(LMDD, LOCI, RGraph, ROD, SOS)."""

NAMESAKES = {
    "isolation_forest": ("sklearn.IsolationForest", "pyod.IForest"),
    "elliptic_envelope": ("sklearn.EllipticEnvelope", "pyod.MCD"),
    "one_class_svm": ("sklearn.OneClassSVM", "pyod.OCSVM"),
    "local_outlier_factor": ("sklearn.LocalOutlierFactor", "pyod.LOF"),
    "knn": ("pyod.KNN",),
    "cblof": ("pyod.CBLOF",),
    "hbos": ("pyod.HBOS",),
    "ecod": ("pyod.ECOD",),
    "copod": ("pyod.COPOD",),
    "pca": ("pyod.PCA",),
    "kde": ("pyod.KDE",),
    "gmm": ("pyod.GMM",),
    "loda": ("pyod.LODA",),
    "inne": ("pyod.INNE",),
}
"""Our algorithm -> the same algorithm elsewhere."""
