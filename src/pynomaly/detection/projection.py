"""Two numbers for each of some rows, so that they can be drawn: the first two principal components.

They are those of the ordinary rows alone (Jolliffe, Principal Component Analysis, 2002): a few far-out rows
would otherwise turn the axes towards themselves and leave all the others in one spot.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_ROWS = 3


@dataclass(frozen=True)
class Projection:
    """`points` (n, 2); `shares` of the ordinary rows' variance, `weights` (2, features)."""

    points: NDArray[np.float64]
    shares: NDArray[np.float64]
    weights: NDArray[np.float64]


def project(X: NDArray[np.floating], ordinary: NDArray[np.bool_]) -> Projection | None:
    """Project n encoded rows, shape (n, features), on what the `ordinary` ones (n,) vary by most.

    The largest weight of each component is positive, so that the same rows always give the same picture. None
    when there are fewer than two features that vary, or hardly any rows.
    """
    values = np.asarray(X, dtype=np.float64)
    base = values[ordinary]
    if len(base) < LEAST_ROWS or values.shape[1] < 2:
        return None
    spread = base.std(axis=0)
    varies = spread > 0
    if varies.sum() < 2:
        return None
    scaled = (values - base.mean(axis=0)) / np.where(varies, spread, 1.0)
    scaled[:, ~varies] = 0.0
    covariance = np.cov(scaled[ordinary], rowvar=False)
    found, vectors = np.linalg.eigh(covariance)
    weights = vectors[:, ::-1][:, :2].T.copy()
    for weight in weights:
        if weight[np.argmax(np.abs(weight))] < 0:
            weight *= -1
    shares = np.clip(found[::-1][:2], 0, None) / found.clip(0).sum()
    return Projection(scaled @ weights.T, shares, weights)
