"""AUC-ROC and average precision: equal to scikit-learn's, ties included."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics

from pynomaly.detection.evaluate import auc_roc, average_precision
from pynomaly.errors import LabelError


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-4, 4) | st.floats(-1e300, 1e300)), min_size=2))
def test_equal_to_scikit_learn(pairs):
    labels, scores = map(list, zip(*pairs, strict=True))
    assume(0 < sum(labels) < len(labels))
    assert auc_roc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
    expected = metrics.average_precision_score(labels, scores)
    assert average_precision(labels, scores) == pytest.approx(expected, abs=1e-12)


def test_extremes():
    assert auc_roc([0, 0, 1], [1, 2, 3]) == 1
    assert auc_roc([1, 0, 0], [1, 2, 3]) == 0
    assert auc_roc([1, 0, 0], [5, 5, 5]) == 0.5
    assert average_precision([0, 1, 1], [1, 2, 3]) == 1
    assert average_precision([True, False], [0, 0]) == 0.5


@pytest.mark.parametrize("measure", [auc_roc, average_precision])
@pytest.mark.parametrize(
    ("labels", "scores"), [([0, 0], [1, 2]), ([1, 1], [1, 2]), ([0, 2], [1, 2]), ([0, 1], [1]), ([], [])]
)
def test_unusable_labels_are_refused(measure, labels, scores):
    with pytest.raises(LabelError):
        measure(np.array(labels), scores)
