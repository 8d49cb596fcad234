"""Which rows are anomalies: the score to cut at, by the training scores or by those of the rows judged."""

import hashlib
import math

import numpy as np

from pynomaly.detection import tail
from pynomaly.detection.choice import Choice
from pynomaly.detection.scoring import Calibration, Scores

AUTO_MOST = 0.10
"""Largest share of the training rows that contamination "auto" flags."""

AUTO_FDR = 0.2
"""Share of false alarms that contamination "auto" allows, as estimated."""


def threshold(
    training: Calibration, out_of_sample: Calibration, choice: Choice, outlying: float = 0.0
) -> float:
    """Find the score above which (strictly) a row is an anomaly; rows tied with it are not.

    `training` are the scores of the n training rows, `out_of_sample` what they would score as new rows.

    - contamination c: the (1 - c) quantile of the training scores, as scikit-learn's `offset_`;
    - quantile q: that quantile of the training scores;
    - max_alerts N: the highest training score but N, so that never more than N training rows are flagged;
    - fdr q: where a share q of the flagged training rows is estimated to be normal (see `tail.cut`);
    - contamination "auto": the same with q = `AUTO_FDR`, or, where that is more, the share `outlying` of
      the training rows (see `outlying`), but at most `AUTO_MOST` of them (of fewer than 10, none);
      it flags none when nothing stands out.
    """
    way = choice.way
    if way == "max_alerts":
        return training.highest_but(int(choice.number))
    if way == "quantile":
        return training.quantile(choice.number)
    if way == "value":
        return choice.number
    if way == "fdr":
        return tail.cut(out_of_sample, choice.number)
    if choice.value == "auto":
        most = int(AUTO_MOST * training.rows)
        outliers = training.highest_but(min(round(outlying * training.rows), most))
        return max(min(tail.cut(out_of_sample, AUTO_FDR), outliers), training.highest_but(most))
    return training.quantile(1.0 - choice.number)


def benjamini_hochberg(p_values: Scores, fdr: float) -> float:
    """Find the greatest p-value that is flagged so that the expected share of false alarms is at most `fdr`.

    The greatest p(i) <= fdr * i / m of the m p-values in ascending order; 0 when there is none. It holds for
    conformal p-values (Y. Benjamini, Y. Hochberg 1995; S. Bates, E. Candès, L. Lei, Y. Romano, M. Sesia,
    "Testing for outliers with conformal p-values", 2023).

    >>> benjamini_hochberg(np.array([0.01, 0.5, 0.03, 0.9]), 0.1)
    0.03
    """
    ordered = np.sort(p_values)
    m = len(ordered)
    passing = np.flatnonzero(ordered * m <= fdr * np.arange(1, m + 1))
    return float(ordered[passing[-1]]) if len(passing) else 0.0


def batch_threshold(scores: Scores, p_values: Scores, fdr: float, learned: float) -> float:
    """Find the cut on m rows' scores that flags those whose p-values Benjamini and Hochberg reject.

    Scores and p-values are in the opposite order, so it is the highest score that is not flagged. When no
    row is, the cut learned in training, or the highest score when that is higher.
    """
    flagged = p_values <= benjamini_hochberg(p_values, fdr)
    if flagged.all():
        return math.nextafter(float(scores.min()), -math.inf) if len(scores) else learned
    highest = float(scores[~flagged].max())
    return highest if flagged.any() else max(highest, learned)


def digest(scores: Scores) -> str:
    """Give the same text for the same scores in any order: tells the training table from others."""
    return hashlib.sha256(np.sort(scores).tobytes()).hexdigest()
