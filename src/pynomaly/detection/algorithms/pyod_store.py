"""Keeps detectors of PyOD as arrays of bytes, by skops: a closed list of types, and only where allowed.

skops (https://skops.readthedocs.io) writes objects as JSON and arrays and never runs code that a file
names, except that it makes objects of types that the reader trusts. A changed file could still give such an
object numbers that crash the process (a tree's child index), so `allowing_skops` must have been said.
"""

import io
import math
import zipfile
from typing import IO, Any

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
            "harm. If it comes from you, load it with allow_skops=True (command "
            "line: --allow-skops)."
        )
    from skops.io import loads

    own = f"pyod.models.{peer.module}.{peer.name}"
    try:
        _check_parts(data)
        detector = loads(data, trusted=[own, *TRUSTED.get(peer.name, ())])
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file makes skops raise
        raise stored.bad("model", f"cannot be read ({type(error).__name__})") from error
    if f"{type(detector).__module__}.{type(detector).__name__}" != own:
        raise stored.bad("model", "is of another class")
    return detector


def _check_parts(data: bytes) -> None:
    """Refuse compressed parts and arrays that claim to be larger than they are, so that no size is made up.

    `dump` writes one JSON part and plain arrays, and compresses nothing.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        for part in parts.infolist():
            if part.compress_type != zipfile.ZIP_STORED:
                raise BadBundle("packed")
            if part.filename != "schema.json":
                with parts.open(part) as file:
                    _check_claim(file, part.file_size)


def _check_claim(file: IO[bytes], size: int) -> None:
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    shape, _, dtype = read[version](file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > size:
        raise BadBundle("claims")
