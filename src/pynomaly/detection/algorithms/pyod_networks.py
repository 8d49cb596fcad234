"""Keeps those detectors of PyOD that skops cannot store: the rows, and the numbers of the trained networks.

What is made of the rows alone (scalers, search trees, forests) is made again by a training of one round from
the same seed; then the stored numbers are put into its networks. So a file holds arrays only, and nothing
in it is run.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.contract import Matrix
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.entries.pyod import Peer
from pynomaly.errors import FitFailed

MAX_NUMBER = float(np.finfo(np.float32).max)
ROUNDS = frozenset({"epochs", "epoch_num", "epochs_query", "n_epochs", "stop_epochs"})
"""Parameters that say how long networks are trained; one round is enough to make their layers."""


def dump(peer: Peer, detector: Any) -> dict[str, NDArray[Any]]:
    """Give the numbers of all trained networks, one after another, as float64 (exact for all of them)."""
    parts = [tensor.detach().numpy().astype(np.float64).ravel() for tensor in _tensors(peer, detector)]
    return {"networks": np.concatenate(parts)} if parts else {}


def restore(peer: Peer, detector: Any, stored: Stored) -> None:
    """Put stored numbers into the networks of a detector; raises BadBundle when they do not fit."""
    tensors = list(_tensors(peer, detector))
    if not tensors:
        return
    import torch

    sizes = [tensor.numel() for tensor in tensors]
    numbers = stored.take("networks", np.float64, (sum(sizes),), -MAX_NUMBER, MAX_NUMBER)
    with torch.no_grad():
        for tensor, part in zip(tensors, np.split(numbers, np.cumsum(sizes)[:-1]), strict=True):
            tensor.copy_(torch.from_numpy(part).reshape(tensor.shape))


def check(peer: Peer, detector: Any) -> None:
    """Raise FitFailed when training has led a network out of the numbers."""
    if not all(np.isfinite(tensor.detach().numpy()).all() for tensor in _tensors(peer, detector)):
        raise FitFailed(
            f"PyOD's {peer.name} did not converge on this table: its network has no finite weights."
        )


def unscored(detector: Any, rows: Matrix) -> Any:
    """Train without scoring the training rows, which takes longest and is of no use here."""
    detector.decision_function = lambda X: np.zeros(len(X))
    try:
        return detector.fit(rows)
    finally:
        del detector.decision_function


def _tensors(peer: Peer, detector: Any) -> Iterator[Any]:
    """Go through the tensors of a detector's networks, in one order."""
    for name in peer.networks or ():
        held = getattr(detector, name)
        for part in held if isinstance(held, list) else [held]:
            yield from part.state_dict().values() if hasattr(part, "state_dict") else [part]
