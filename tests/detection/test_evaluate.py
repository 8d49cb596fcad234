"""Measures and curves: equal to scikit-learn's or to counting by hand, ties included."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics

from pynomaly.detection.evaluate import (
    auc_roc,
    average_precision,
    best_f1,
    histograms,
    precision_at_n,
    precision_recall_curve,
    roc_curve,
    thinned,
)
from pynomaly.errors import LabelError

PAIRS = st.lists(st.tuples(st.integers(0, 1), st.integers(-4, 4) | st.floats(-1e300, 1e300)), min_size=2)


def both_kinds(pairs):
    labels, scores = map(list, zip(*pairs, strict=True))
    assume(0 < sum(labels) < len(labels))
    return labels, scores


@settings(deadline=None)
@given(PAIRS)
def test_equal_to_scikit_learn(pairs):
    labels, scores = both_kinds(pairs)
    assert auc_roc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
    expected = metrics.average_precision_score(labels, scores)
    assert average_precision(labels, scores) == pytest.approx(expected, abs=1e-12)


def test_extremes():
    assert auc_roc([0, 0, 1], [1, 2, 3]) == 1
    assert auc_roc([1, 0, 0], [1, 2, 3]) == 0
    assert auc_roc([1, 0, 0], [5, 5, 5]) == 0.5
    assert average_precision([0, 1, 1], [1, 2, 3]) == 1
    assert average_precision([True, False], [0, 0]) == 0.5


ALL = [auc_roc, average_precision, precision_at_n, best_f1, roc_curve, precision_recall_curve, histograms]


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize(
    ("labels", "scores"), [([0, 0], [1, 2]), ([1, 1], [1, 2]), ([0, 2], [1, 2]), ([0, 1], [1]), ([], [])]
)
def test_unusable_labels_are_refused(measure, labels, scores):
    with pytest.raises(LabelError):
        measure(np.array(labels), scores)


@settings(deadline=None)
@given(PAIRS)
def test_best_f1_is_the_best_of_all_thresholds(pairs):
    labels, scores = both_kinds(pairs)
    found = []
    for cut in scores:
        flagged = [label for label, score in zip(labels, scores, strict=True) if score >= cut]
        precision, recall = sum(flagged) / len(flagged), sum(flagged) / sum(labels)
        found.append(2 * precision * recall / (precision + recall) if precision else 0.0)
    assert best_f1(labels, scores) == pytest.approx(max(found), abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2)), min_size=2, max_size=6))
def test_precision_at_n_is_the_mean_over_all_orders_of_tied_rows(pairs):
    labels, scores = both_kinds(pairs)
    n, found = sum(labels), []
    for order in permutations(range(len(labels))):
        if all(scores[a] >= scores[b] for a, b in pairwise(order)):
            found.append(sum(labels[row] for row in order[:n]) / n)
    assert precision_at_n(labels, scores) == pytest.approx(np.mean(found), abs=1e-12)


@settings(deadline=None)
@given(PAIRS)
def test_the_curves_are_those_of_scikit_learn(pairs):
    labels, scores = both_kinds(pairs)
    false_positive, true_positive, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    x, y = roc_curve(labels, scores)
    assert (x, y) == (pytest.approx(false_positive), pytest.approx(true_positive))
    precision, recall, _ = metrics.precision_recall_curve(labels, scores)
    x, y = precision_recall_curve(labels, scores)
    assert x == pytest.approx(recall[::-1])
    assert y[1:] == pytest.approx(precision[::-1][1:])
    assert y[0] == y[1]  # scikit-learn puts 1 there, whatever the scores


def test_long_curves_are_thinned_along_their_whole_length():
    rng = np.random.default_rng(0)
    labels = (rng.random(20_000) < 0.01).astype(int)
    scores = rng.normal(size=20_000) + 2 * labels
    x, y = roc_curve(labels, scores)
    assert 190 <= len(x) <= 200
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert np.trapezoid(y, x) == pytest.approx(auc_roc(labels, scores), abs=0.002)
    assert np.hypot(np.diff(x), np.diff(y)).max() < 0.02
    recall, precision = precision_recall_curve(labels, scores)
    assert len(recall) <= 200
    assert (recall[0], recall[-1]) == (0, 1)
    assert precision[-1] == pytest.approx(labels.mean())


def test_short_curves_stay_whole():
    x = np.arange(200.0)
    assert thinned(x, x, 200)[0] is x
    assert len(thinned(np.arange(201.0), np.arange(201.0), 200)[0]) == 200


@settings(deadline=None)
@given(PAIRS)
def test_histograms_count_every_row_once(pairs):
    labels, scores = both_kinds(pairs)
    told = histograms(labels, scores, bins=7)
    assert len(told["edges"]) == 8
    assert (sum(told["anomaly"]), sum(told["normal"])) == (sum(labels), len(labels) - sum(labels))
    assert told["edges"] == sorted(told["edges"])
    inside = sum(told["edges"][0] <= s < told["edges"][1] for s in scores)
    assert told["normal"][0] + told["anomaly"][0] == inside


def test_histograms_of_extreme_scores():
    told = histograms([0, 1], [-1.7e308, 1.7e308], bins=2)
    assert told == {"edges": [-1.7e308, 0.0, 1.7e308], "normal": [1, 0], "anomaly": [0, 1]}
    assert histograms([0, 1], [5, 5], bins=2)["edges"] == [4.5, 5.0, 5.5]
    assert sum(histograms([0, 1], [1e308, 1e308])["normal"]) == 1
