"""Measures how well scores tell labelled anomalies from the rest; ties count as scikit-learn counts them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pynomaly.errors import LabelError

Matrix = NDArray[np.float64]
Curve = tuple[Matrix, Matrix]


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


def precision_at_n(labels: ArrayLike, scores: ArrayLike) -> float:
    """Share of anomalies among the n highest scores, n being how many anomalies there are.

    Of rows that tie at the n-th place, each is as likely as the others to be among the n: the mean over all
    ways to break the tie.

    Raises:
        LabelError: as `auc_roc`.

    >>> precision_at_n([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.5
    """
    positive, values = _checked(labels, scores)
    order, ends = _tied_groups(values)
    passed, found = np.append(0, ends + 1), np.append(0, np.cumsum(positive[order])[ends])
    return float(np.interp(found[-1], passed, found) / found[-1])


def best_f1(labels: ArrayLike, scores: ArrayLike) -> float:
    """The highest F1, the harmonic mean of precision and recall, that any threshold gives.

    Raises:
        LabelError: as `auc_roc`.

    >>> best_f1([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.8
    """
    positive, values = _checked(labels, scores)
    order, ends = _tied_groups(values)
    found = np.cumsum(positive[order])[ends]
    return float(np.max(2 * found / (ends + 1 + found[-1])))


def roc_curve(labels: ArrayLike, scores: ArrayLike, most: int = 200) -> Curve:
    """The false positive rate and the true positive rate of each threshold, from (0, 0) to (1, 1).

    Gives x and y of all points, or of `most` points evenly spaced along the curve.

    Raises:
        LabelError: as `auc_roc`.

    >>> [part.tolist() for part in roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])]
    [[0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0]]
    """
    positive, values = _checked(labels, scores)
    order, ends = _tied_groups(values)
    found, passed = np.cumsum(positive[order])[ends], ends + 1
    normal = len(values) - found[-1]
    return thinned(np.append(0, passed - found) / normal, np.append(0, found) / found[-1], most)


def precision_recall_curve(labels: ArrayLike, scores: ArrayLike, most: int = 200) -> Curve:
    """Recall and precision of each threshold, by rising recall, from recall 0 with the first precision.

    Gives x and y, thinned as in `roc_curve`.

    Raises:
        LabelError: as `auc_roc`.

    >>> [part.round(2).tolist() for part in precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])]
    [[0.0, 0.5, 0.5, 1.0, 1.0], [1.0, 1.0, 0.5, 0.67, 0.5]]
    """
    positive, values = _checked(labels, scores)
    order, ends = _tied_groups(values)
    found = np.cumsum(positive[order])[ends]
    precision = found / (ends + 1)
    return thinned(np.append(0, found / found[-1]), np.append(precision[0], precision), most)


def thinned(x: Matrix, y: Matrix, most: int) -> Curve:
    """Keep at most `most` points of a curve, evenly spaced along it; its ends stay."""
    if len(x) <= most:
        return x, y
    along = np.append(0, np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y))))
    kept = np.unique(np.searchsorted(along, np.linspace(0, along[-1], most)[1:-1]))
    kept = np.unique([0, *kept, len(x) - 1])
    return x[kept], y[kept]


def histograms(labels: ArrayLike, scores: ArrayLike, bins: int = 40) -> dict[str, list[float]]:
    """Count the scores of each class in equally wide bins: `edges` (bins + 1), `normal` and `anomaly`.

    Raises:
        LabelError: as `auc_roc`.

    >>> histograms([0, 0, 1], [0.0, 1.0, 2.0], bins=2)
    {'edges': [0.0, 1.0, 2.0], 'normal': [1, 1], 'anomaly': [0, 1]}
    """
    positive, values = _checked(labels, scores)
    share = np.linspace(0, 1, bins + 1)
    edges = values.min() * (1 - share) + values.max() * share  # their difference may overflow
    edges = np.sort(np.clip(edges, values.min(), values.max()))
    if edges[0] == edges[-1]:
        edges = edges[0] + share - 0.5
    counts = {
        "normal": np.histogram(values[~positive], edges)[0].tolist(),
        "anomaly": np.histogram(values[positive], edges)[0].tolist(),
    }
    return {"edges": edges.tolist()} | counts


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
