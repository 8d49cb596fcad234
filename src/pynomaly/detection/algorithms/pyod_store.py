"""Keeps detectors of PyOD as arrays of bytes, by skops: a closed list of types, and only where allowed.

skops (https://skops.readthedocs.io) writes objects as JSON and arrays and never runs code that a file
names, except that it makes objects of types that the reader trusts. A changed file could still give such an
object numbers that crash the process (a tree's child index), so `allowing_skops` must have been said.
"""

import io
import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.entries.pyod import Peer
from pynomaly.detection.trust import skops_allowed
from pynomaly.errors import BadBundle, UntrustedModel

SEARCHES = (
    "sklearn.metrics._dist_metrics.ChebyshevDistance64",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.metrics._dist_metrics.MinkowskiDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
)
LOF = ("pyod.models.lof.LOF", *SEARCHES)
TRUSTED = {
    "ABOD": SEARCHES,
    "FeatureBagging": LOF,
    "HDBSCAN": SEARCHES,
    "IForest": ("sklearn.tree._tree.Tree",),
    "KDE": SEARCHES,
    "KNN": SEARCHES,
    "KPCA": ("pyod.models.kpca.PyODKernelPCA",),
    "LOF": SEARCHES,
    "LSCP": LOF,
    "Sampling": SEARCHES,
}
"""The types that a detector may hold besides its own class and what skops itself trusts."""


def dump(detector: Any) -> NDArray[np.uint8]:
    """Store a trained detector."""
    from skops.io import dumps

    return np.frombuffer(dumps(detector, compression=zipfile.ZIP_STORED), np.uint8)


def load(peer: Peer, stored: Stored) -> Any:
    """Read a stored detector.

    Raises:
        UntrustedModel: nobody allowed it here.
        BadBundle: it is damaged, of another class, or holds a type that is not on the list.
    """
    data = stored.take("model", np.uint8, (None,)).tobytes()
    if not skops_allowed():
        raise UntrustedModel(
            f"This model of pyod.{peer.name} holds PyOD's own objects, which a changed file could use to do "
            "harm. If it comes from you, load it with allow_skops=True."
        )
    from skops.io import loads

    own = f"pyod.models.{peer.module}.{peer.name}"
    try:
        _refuse_packed(data)
        detector = loads(data, trusted=[own, *TRUSTED.get(peer.name, ())])
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file makes skops raise
        raise stored.bad("model", f"cannot be read ({type(error).__name__})") from error
    if f"{type(detector).__module__}.{type(detector).__name__}" != own:
        raise stored.bad("model", "is of another class")
    return detector


def _refuse_packed(data: bytes) -> None:
    """Refuse compressed parts, which might unpack to any size; `dump` compresses nothing."""
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts.infolist()):
            raise BadBundle("packed")
