"""Scaling: robust, safe with odd columns, the same for one row as for many."""

import numpy as np
import pytest
from sklearn.preprocessing import RobustScaler, StandardScaler

from pynomaly.detection.algorithms.scaling import LIMIT, SMALLEST, UNSCALED_LIMIT, Scaling

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


@pytest.mark.parametrize("kind", ["robust", "standard", "none"])
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
