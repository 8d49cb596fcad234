"""Measures how well scores tell labelled anomalies from the rest; ties count as scikit-learn counts them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pynomaly.errors import LabelError


def auc_roc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Area under the ROC curve: the chance that an anomaly (1) outscores another row (0); ties count half.

    Raises:
        LabelError: labels are not 0 and 1, one of them is missing, or there are not as many as scores.

    >>> auc_roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    positive, values = _checked(labels, scores)
    order, ends = _tied_groups(values)
    found, passed = np.cumsum(positive[order])[ends], ends + 1
    true = np.concatenate([[0], found]) / found[-1]
    false = np.concatenate([[0], passed - found]) / (passed[-1] - found[-1])
    return float(np.sum(np.diff(false) * (true[1:] + true[:-1]) / 2))


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Mean precision over the anomalies found, going down the scores (step-wise, not interpolated).

    Raises:
        LabelError: as `auc_roc`.

    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    positive, values = _checked(labels, scores)
    order, ends = _tied_groups(values)
    found = np.cumsum(positive[order])[ends]
    return float(np.sum(np.diff(found, prepend=0) * found / (ends + 1)) / found[-1])


def _checked(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    given: NDArray[Any] = np.asarray(labels)
    values = np.asarray(scores, dtype=np.float64)
    if given.shape != values.shape or given.ndim != 1:
        raise LabelError(f"There must be one label for each score, not {given.shape} for {values.shape}.")
    if not np.isin(given, (0, 1)).all():
        raise LabelError("Labels are 0 (normal) and 1 (anomaly).")
    positive = given == 1
    if positive.all() or not positive.any():
        raise LabelError("Labels must hold both normal rows (0) and anomalies (1).")
    return positive, values


def _tied_groups(values: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Order by score, descending; and the last place of each group of equal scores."""
    order = np.argsort(-values, kind="stable")
    ends = np.flatnonzero(np.diff(values[order], append=-np.inf) != 0)
    return order, ends
