"""Scaling: robust, safe with odd columns, the same for one row as for many."""

import numpy as np
import pytest
from scipy.stats import norm, rankdata
from sklearn.preprocessing import RobustScaler, StandardScaler

from pynomaly.detection.algorithms.scaling import LIMIT, SMALLEST, UNSCALED_LIMIT, Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.errors import BadBundle

X = np.random.default_rng(0).lognormal(size=(500, 4)) * [1, 1e6, 1e-6, 3]


def test_robust_is_scikit_learns():
    peer = RobustScaler(unit_variance=True).fit_transform(X)
    assert np.allclose(Scaling.fit(X, "robust").apply(X), peer, rtol=1e-9, atol=1e-12)


def test_standard_is_scikit_learns():
    assert np.allclose(
        Scaling.fit(X, "standard").apply(X), StandardScaler().fit_transform(X), rtol=1e-9, atol=1e-12
    )


def test_none_leaves_values():
    assert np.array_equal(Scaling.fit(X, "none").apply(X), X)
    assert Scaling.fit(X, "none").apply(np.array([[1e308] * 4]))[0, 0] == UNSCALED_LIMIT


def test_mostly_one_value_takes_the_standard_deviation():
    column = np.zeros((100, 1))
    column[:3] = 6
    scaling = Scaling.fit(column, "robust")
    assert scaling.center[0] == 0
    assert scaling.unit[0] == pytest.approx(column.std())


@pytest.mark.parametrize("kind", ["robust", "standard"])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e308, -1e308, 1e-310])
def test_constants_have_unit_one(kind, value):
    scaling = Scaling.fit(np.full((30, 1), value), kind)
    assert scaling.unit[0] == 1
    assert abs(scaling.apply(np.array([[value]]))[0, 0]) <= max(1e-9, abs(value) * 1e-12)


@pytest.mark.parametrize("kind", ["robust", "standard", "rank", "none"])
def test_units_are_sane_for_the_largest_and_smallest_values(kind):
    largest = np.finfo(float).max
    for column in ([-largest, largest] * 10, [0, largest] * 10, [0.0] * 30 + [largest], [1e-320, 0] * 9):
        scaling = Scaling.fit(np.array(column)[:, None], kind)
        assert np.isfinite(scaling.center).all()
        assert (scaling.unit >= SMALLEST).all()
        assert np.isfinite(scaling.unit).all()
        assert np.isfinite(scaling.apply(np.array([[largest], [-largest], [0.0]]))).all()


def test_far_values_are_clipped():
    assert Scaling.fit(X, "robust").apply(X[:1] + 1e300)[0, 0] == LIMIT


class TestByRank:
    def test_gives_normal_scores_of_ranks_with_ties_at_their_middle(self):
        X = np.random.default_rng(0).normal(size=(700, 2))
        X[:, 1] = X[:, 1].round()
        scaled = Scaling.fit(X, "rank").apply(X)
        for j in range(2):
            expected = norm.ppf((rankdata(X[:, j]) - 0.5) / len(X))
            assert scaled[:, j] == pytest.approx(expected, abs=1e-12)

    def test_of_many_values_is_near_the_scores_of_all(self):
        X = np.random.default_rng(0).exponential(size=(50_000, 1))
        expected = norm.ppf((rankdata(X) - 0.5) / len(X))
        middle = np.abs(expected) < 2.5
        assert Scaling.fit(X, "rank").apply(X)[middle, 0] == pytest.approx(expected[middle], abs=0.02)

    def test_goes_on_beyond_the_ends_slowly_and_in_order(self):
        X = np.random.default_rng(0).normal(size=(500, 1))
        scaled = Scaling.fit(X, "rank").apply(np.array([[-1e300], [-30.0], [0.0], [30.0], [1e300]]))[:, 0]
        assert (np.diff(scaled) > 0).all()
        assert np.abs(scaled).max() < 30

    def test_unordered_knots_are_refused(self):
        scaling = Scaling.fit(np.random.default_rng(0).normal(size=(50, 2)), "rank")
        for name in ("knots", "levels"):
            state = {key: array.copy() for key, array in scaling.state().items()}
            state[name][0] = state[name][0, ::-1]
            with pytest.raises(BadBundle, match=name):
                Scaling.from_state(Stored("knn", state), "rank")
