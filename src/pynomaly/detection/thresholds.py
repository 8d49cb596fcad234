"""Which rows are anomalies: the score to cut at, by the training scores or by those of the rows judged."""

import hashlib
import math

import numpy as np

from pynomaly.detection import tail
from pynomaly.detection.choice import Choice
from pynomaly.detection.outlying import Outlying
from pynomaly.detection.scoring import Calibration, Scores, benjamini_hochberg

AUTO_MOST = 0.10
"""Largest share of the training rows that contamination "auto" flags."""

AUTO_FDR = 0.2
"""Share of false alarms that contamination "auto" allows, as estimated."""


def threshold(training: Calibration, out_of_sample: Calibration, choice: Choice, outlying: Outlying) -> float:
    """Find the score above which (strictly) a row is an anomaly; rows tied with it are not.

    `training` are the scores of the n training rows, `out_of_sample` what they would score as new rows.

    - contamination c: the (1 - c) quantile of the training scores, as scikit-learn's `offset_`;
    - quantile q: that quantile of the training scores;
    - max_alerts N: the highest training score but N, so that never more than N training rows are flagged;
    - fdr q: where a share q of the flagged training rows is estimated to be normal (see `tail.cut`); or,
      where that flags more, as many training rows as lie far out at that level (see `Outlying`);
    - contamination "auto": the same with q = `AUTO_FDR`, but at most `AUTO_MOST` of the training rows (of
      fewer than 10, none); it flags none when nothing stands out.
    """
    way = choice.way
    if way == "max_alerts":
        return training.highest_but(int(choice.number))
    if way == "quantile":
        return training.quantile(choice.number)
    if way == "value":
        return choice.number
    if way == "fdr" or choice.value == "auto":
        fdr = choice.number if way == "fdr" else AUTO_FDR
        far_out = training.highest_but(round(outlying.share(fdr) * training.rows))
        found = tail.rarest(training) if tail.is_tied(training) else tail.cut(out_of_sample, fdr)
        found = min(found, far_out)
        most = training.rows if way == "fdr" else int(AUTO_MOST * training.rows)
        return max(found, training.highest_but(most))
    return training.quantile(1.0 - choice.number)


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
