"""Thresholds: what each way flags in the training table, Benjamini and Hochberg's cut in others, auto's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from pynomaly import detect
from pynomaly.detection import tail
from pynomaly.detection.choice import Choice
from pynomaly.detection.outlying import LEVELS, Outlying
from pynomaly.detection.scoring import Calibration, benjamini_hochberg
from pynomaly.detection.thresholds import (
    AUTO_MOST,
    batch_threshold,
    digest,
    threshold,
)

NONE = Outlying((0.0,) * len(LEVELS))
SCORES = arrays(np.float64, st.integers(1, 60), elements=st.floats(-1e6, 1e6, width=32))
LEVELS = st.floats(0.001, 0.5)


def flagged(scores, **ways):
    kept = Calibration.fit(scores)
    return scores > threshold(kept, kept, Choice.of(ways), NONE)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.5])
def test_a_share_flags_that_share_of_the_training_rows(share):
    scores = np.random.default_rng(1).normal(size=1000)
    assert flagged(scores, contamination=share).sum() == round(share * 1000)
    assert flagged(scores, quantile=1 - share).sum() == round(share * 1000)


def test_rows_tied_with_the_threshold_are_not_flagged():
    scores = np.array([0.0] * 90 + [1.0] * 10)
    assert flagged(scores, contamination=0.05).sum() == 0
    assert flagged(scores, max_alerts=9).sum() == 0
    assert flagged(scores, max_alerts=10).sum() == 10


@given(SCORES, st.integers(1, 70))
@settings(deadline=None, max_examples=100)
def test_a_budget_is_never_exceeded_and_used_up_but_for_ties(scores, most):
    found = flagged(scores, max_alerts=most)
    assert found.sum() <= most
    if len(np.unique(scores)) == len(scores):
        assert found.sum() == min(most, len(scores))


@given(arrays(np.float64, st.integers(1, 40), elements=st.floats(0.001, 1)), LEVELS)
@settings(deadline=None, max_examples=100)
def test_benjamini_and_hochberg_reject_what_scipys_adjusted_p_values_say(p_values, fdr):
    adjusted = stats.false_discovery_control(p_values)
    clear = np.abs(adjusted - fdr) > 1e-9
    found = p_values <= benjamini_hochberg(p_values, fdr)
    assert (found == (adjusted <= fdr))[clear].all()


@given(SCORES, SCORES, LEVELS)
@settings(deadline=None, max_examples=100)
def test_a_tables_cut_flags_what_its_p_values_reject(training, new, fdr):
    p_values = Calibration.fit(training).p_values(new)
    cut = batch_threshold(new, p_values, fdr, learned=0.0)
    assert ((new > cut) == (p_values <= benjamini_hochberg(p_values, fdr))).all()


def test_where_no_row_is_flagged_the_cut_learned_in_training_stays():
    scores, p_values = np.array([1.0, 2.0]), np.array([0.9, 0.8])
    assert batch_threshold(scores, p_values, 0.1, learned=5.0) == 5.0
    assert batch_threshold(scores, p_values, 0.1, learned=1.5) == 2.0
    assert batch_threshold(np.empty(0), np.empty(0), 0.1, learned=5.0) == 5.0


def test_a_tail_goes_through_the_quartile_and_the_octile_but_for_the_standard_error():
    n = 1_000_000
    for law, bend in ((stats.expon(), 1.0), (stats.weibull_min(1.2), 1.2), (stats.weibull_min(0.7), 0.7)):
        middle, upper, octile = law.ppf([0.5, 0.75, 0.875])
        fitted = tail.Tail.fit(middle, upper, octile, n)
        assert fitted.p_values(np.array([middle, upper])) == pytest.approx([0.5, 0.25], rel=1e-3)
        assert fitted.p_values(np.array([octile])) == pytest.approx([0.14], rel=0.03)  # heavier than it looks
        if bend == 1.0:
            assert 0.8 < fitted.bend < 1
        for p in (0.3, 0.01, 1e-6):
            assert fitted.p_values(np.array([fitted.score(p)])) == pytest.approx([p])


def test_tied_scores_have_no_tail():
    """Steps between a few groups of rows say nothing; the highest rows count when they are rare."""
    groups = np.repeat([0.84, 0.98, 11.5, 11.6], [93, 86, 12, 9])
    assert tail.is_tied(Calibration.fit(groups))
    assert not flagged(groups).any()
    assert flagged(np.repeat([0.84, 0.98, 11.5, 11.6], [93, 86, 17, 4])).sum() == 4
    assert not tail.is_tied(Calibration.fit(np.random.default_rng(0).normal(size=200)))


@pytest.mark.parametrize("algorithm", ["auto", "gmm", "isolation_forest"])
def test_tables_of_few_different_rows_have_no_strong_anomalies(algorithm):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        table = {"a": (rng.random(200) < 0.1).tolist(), "b": (rng.random(200) < 0.5).tolist()}
        assert detect(table, algorithm=algorithm).n_anomalies == 0


def test_the_tail_of_a_normal_is_never_taken_to_be_lighter_than_it_is():
    law = stats.norm()
    fitted = tail.Tail.fit(*law.ppf([0.5, 0.75, 0.875]), 10_000)
    far = np.linspace(1.2, 8, 50)
    assert (fitted.p_values(far) >= law.sf(far)).all()


def brute_cut(scores, fdr):
    """Flag the most rows so that their estimated share of normal ones is at most `fdr`."""
    n = len(scores)
    fitted = tail.Tail.fit(*np.quantile(scores, [0.5, 0.75, 0.875]), n)
    for lowest in np.unique(scores[scores > fitted.middle]):
        among = scores >= lowest
        if n * fitted.p_values(np.array([lowest]))[0] <= fdr * among.sum():
            return among
    return np.zeros(n, dtype=bool)


@given(st.integers(0, 10_000), st.integers(0, 20), LEVELS)
@settings(deadline=None, max_examples=60)
def test_the_estimated_share_of_false_alarms_is_kept(seed, planted, fdr):
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.exponential(size=200), rng.uniform(5, 40, planted)]).round(2)
    cut = tail.cut(Calibration.fit(scores), fdr)
    assert ((scores > cut) == brute_cut(scores, fdr)).all()
    fitted = tail.Tail.fit(*np.quantile(scores, [0.5, 0.75, 0.875]), len(scores))
    beyond = len(scores) * fitted.p_values(np.array([np.nextafter(cut, np.inf)]))[0]
    assert beyond <= fdr * max(1, (scores > cut).sum()) * (1 + 1e-9)  # a new row is judged by the same rule


def test_auto_finds_what_is_planted_and_nothing_in_ordinary_scores():
    rng = np.random.default_rng(0)
    quiet = [flagged(rng.exponential(size=1000)).any() for _ in range(100)]
    assert np.mean(quiet) <= 0.2
    planted = np.concatenate([rng.exponential(size=1000), np.full(30, 25.0)])
    assert flagged(planted).sum() == pytest.approx(30, abs=2)
    assert flagged(planted)[1000:].all()


def test_auto_flags_at_most_a_tenth_and_of_few_rows_none():
    crowded = np.concatenate([np.random.default_rng(0).exponential(size=800), np.full(200, 99.0)])
    assert flagged(crowded).sum() == 0  # a fifth, all alike: more than a tenth
    assert not flagged(np.array([0.0] * 8 + [5.0])).any()
    assert flagged(np.array([0.0] * 9 + [5.0])).tolist() == [False] * 9 + [True]
    assert not flagged(np.zeros(50)).any()


@given(SCORES)
@settings(deadline=None, max_examples=50)
def test_auto_never_flags_more_than_a_tenth(scores):
    assert flagged(scores).sum() <= AUTO_MOST * len(scores)


def test_auto_flags_the_outlying_share_when_scores_level_off():
    scores = np.concatenate([np.random.default_rng(0).uniform(0, 1, 990), np.linspace(1.0, 1.01, 10)])
    kept = Calibration.fit(scores)
    for share, auto, fdr in ((0.0, 0, 0), (0.01, 10, 10), (0.5, 100, 500)):
        outlying = Outlying((0.0,) * 4 + (share,) * 3)
        assert (scores > threshold(kept, kept, Choice(), outlying)).sum() == auto
        assert (scores > threshold(kept, kept, Choice("fdr", 0.2), outlying)).sum() == fdr
        assert (scores > threshold(kept, kept, Choice("fdr", 0.1), outlying)).sum() == 0


def test_the_digest_tells_scores_not_their_order():
    scores = np.random.default_rng(0).normal(size=100)
    assert digest(scores) == digest(scores[::-1])
    assert digest(scores) != digest(np.append(scores[:-1], np.nextafter(scores[-1], 9)))
