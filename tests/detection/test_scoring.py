"""P-values and thresholds: exact counts, the stated rounding, and what a share of anomalies means."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pynomaly.detection import scoring
from pynomaly.detection.scoring import Calibration, check_contamination, threshold
from pynomaly.errors import BadBundle, BadParameter, FitFailed

FINITE = st.floats(-1e6, 1e6, width=32)
SCORES = arrays(np.float64, st.integers(1, 60), elements=FINITE)


def counted(training, scores):
    """P-values by the definition."""
    return (1 + (training[None, :] >= scores[:, None]).sum(axis=1)) / (len(training) + 1)


@given(SCORES, SCORES)
@settings(deadline=None, max_examples=100)
def test_p_values_count_the_training_scores_at_least_as_high(training, new):
    calibration = Calibration.fit(training)
    assert (calibration.p_values(new) == counted(training, new)).all()
    assert (calibration.p_values(training) == counted(training, training)).all()


@given(SCORES)
@settings(deadline=None, max_examples=50)
def test_higher_scores_never_have_higher_p_values(training):
    calibration = Calibration.fit(training)
    p = calibration.p_values(np.sort(np.concatenate([training, training + 0.5, training - 0.5])))
    assert (np.diff(p) <= 0).all()
    assert (p > 0).all()
    assert (p <= 1).all()


def test_of_many_training_scores_the_tail_is_exact_and_the_rest_rounded_up_a_little():
    rng = np.random.default_rng(0)
    training = rng.gamma(2.0, size=250_000)
    calibration = Calibration.fit(training)
    assert len(calibration.values) <= scoring.TAIL_KEPT + scoring.BODY_KEPT
    new = rng.gamma(2.0, size=20_000)
    ordered = np.sort(training)
    exact = (1 + len(training) - np.searchsorted(ordered, new)) / (len(training) + 1)
    rounded = calibration.p_values(new)
    assert (rounded >= exact).all()
    assert (rounded - exact).max() <= 1 / scoring.BODY_KEPT
    tail = new > ordered[-scoring.TAIL_KEPT]
    assert (rounded[tail] == exact[tail]).all()
    assert calibration.p_values(np.array([-1.0, 1e9])).tolist() == [1.0, 1 / 250_001]


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(FitFailed, match="not finite"):
        Calibration.fit(np.array([1.0, np.inf]))


@given(SCORES, SCORES)
@settings(deadline=None, max_examples=50)
def test_arrays_give_the_same_calibration_back(training, new):
    calibration = Calibration.fit(training)
    again = Calibration.from_arrays(calibration.arrays(), calibration.rows)
    assert (again.p_values(new) == calibration.p_values(new)).all()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: a.pop("values"),
        lambda a: a.update(values=a["values"][:-1]),
        lambda a: a.update(
            values=a["values"][:, None], at_least=a["above"][:, None], above=a["above"][:, None]
        ),
        lambda a: a.update(values=a["values"].astype(np.float32)),
        lambda a: a.update(values=a["values"][:0], at_least=a["above"][:0], above=a["above"][:0]),
        lambda a: a.update(at_least=a["at_least"].astype(np.int32)),
        lambda a: a.update(values=a["values"][::-1].copy()),
        lambda a: a["values"].__setitem__(0, np.nan),
        lambda a: a["values"].__setitem__(-1, np.inf),
        lambda a: a["above"].__setitem__(-1, -5),
        lambda a: a["at_least"].__setitem__(0, 99),
        lambda a: a["at_least"].__setitem__(2, 5),
        lambda a: a.update(rows="5"),
        lambda a: a.update(rows=True),
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(spoil):
    state = Calibration.fit(np.array([1.0, 2.0, 3.0, 4.0, 5.0])).arrays()
    state["rows"] = 5
    spoil(state)
    rows = state.pop("rows")
    with pytest.raises(BadBundle, match="calibration"):
        Calibration.from_arrays(state, rows)


@pytest.mark.parametrize("value", ["auto", 0.5, 0.001, 1e-9])
def test_contamination_that_is_allowed(value):
    assert check_contamination(value) == value


@pytest.mark.parametrize(
    "value", [0, 0.500001, -0.1, 1, "0.1", "", None, True, float("nan"), float("inf"), [0.1]]
)
def test_contamination_out_of_range_is_refused(value):
    with pytest.raises(BadParameter, match=r"above 0 and at most 0.5"):
        check_contamination(value)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1, 0.5])
def test_a_share_flags_that_share_of_the_training_rows(share):
    scores = np.random.default_rng(1).normal(size=1000)
    assert (scores > threshold(scores, share)).sum() == round(share * 1000)


def test_rows_tied_with_the_threshold_are_not_flagged():
    scores = np.array([0.0] * 90 + [1.0] * 10)
    assert (scores > threshold(scores, 0.05)).sum() == 0


def test_auto_is_kimbers_fence_for_skewed_scores():
    scores = np.concatenate([np.linspace(0, 4, 401), [10.0]])
    middle, upper = np.quantile(scores, [0.5, 0.75])
    assert threshold(scores, "auto") == upper + 3 * (upper - middle)
    assert (scores > threshold(scores, "auto")).tolist() == [False] * 401 + [True]


def test_auto_flags_none_when_nothing_stands_out_and_at_most_a_tenth():
    assert not (np.linspace(0, 1, 100) > threshold(np.linspace(0, 1, 100), "auto")).any()
    assert (np.array([0.0] * 9 + [5.0]) > threshold(np.array([0.0] * 9 + [5.0]), "auto")).sum() == 1
    heavy = np.random.default_rng(0).pareto(0.3, size=2000)
    assert (heavy > threshold(heavy, "auto")).mean() == pytest.approx(0.1, abs=0.001)


@given(SCORES)
@settings(deadline=None, max_examples=50)
def test_auto_never_flags_more_than_a_tenth(scores):
    assert (scores > threshold(scores, "auto")).sum() <= 0.1 * len(scores)
