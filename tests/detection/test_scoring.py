"""P-values, quantiles and budgets: exact counts, and the stated rounding where there are many scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pynomaly.detection import scoring
from pynomaly.detection.scoring import Calibration
from pynomaly.errors import BadBundle, FitFailed

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


SHARES = st.floats(0, 1)


@given(SCORES, SHARES)
@settings(deadline=None, max_examples=100)
def test_quantiles_are_numpys(training, share):
    assert Calibration.fit(training).quantile(share) == pytest.approx(np.quantile(training, share), rel=1e-12)


@given(SCORES, st.integers(0, 70))
@settings(deadline=None, max_examples=100)
def test_the_highest_but_some_is_the_lowest_cut_within_a_budget(training, most):
    cut = Calibration.fit(training).highest_but(most)
    assert (training > cut).sum() <= most
    lower = training[training < cut]
    if most < len(training) and len(lower):
        assert (training > lower.max()).sum() > most
    if most >= len(training):
        assert (training > cut).all()


@given(SCORES, SCORES)
@settings(deadline=None, max_examples=50)
def test_the_share_above_a_cut_is_counted(training, cuts):
    calibration = Calibration.fit(training)
    for cut in (*cuts, *training):
        assert calibration.share_above(cut) == (training > cut).mean()


def test_of_many_scores_a_budget_is_kept_and_quantiles_are_near():
    training = np.random.default_rng(1).gamma(2.0, size=250_000)
    calibration = Calibration.fit(training)
    assert (training > calibration.highest_but(1000)).sum() == 1000
    for most in (50_000, 123_456):
        flagged = (training > calibration.highest_but(most)).sum()
        assert most - 250_000 / scoring.BODY_KEPT - 1 <= flagged <= most
    for share in (0.1, 0.5, 0.9, 0.99, 0.9999):
        found = (training <= calibration.quantile(share)).mean()
        assert found == pytest.approx(share, abs=1 / scoring.BODY_KEPT)
