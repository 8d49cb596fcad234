"""Robust z-scores: the authors' formula, its fallbacks, and shares that add up."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from pynomaly.detection.algorithms.robust_z import RobustZ

RNG = np.random.default_rng(2)
X = RNG.normal(size=(301, 4)) * [1, 10, 100, 1e-3] + 3
NEW = RNG.normal(size=(50, 4)) * [5, 10, 900, 1e-3] + 3


def modified(rows):
    return np.abs(rows - np.median(X, axis=0)) * 0.6744897501960817 / median_abs_deviation(X)


@pytest.mark.parametrize(
    ("combine", "expected"),
    [
        ("mean", lambda z: z.mean(axis=1)),
        ("rms", lambda z: np.sqrt((z**2).mean(axis=1))),
        ("max", lambda z: z.max(axis=1)),
    ],
)
def test_is_the_modified_z_score(combine, expected):
    trained = RobustZ(combine=combine).fit(X)
    for rows in (X, NEW):
        assert np.allclose(trained.score(rows), expected(modified(rows)), rtol=1e-12)
        assert np.allclose(trained.contributions(rows).sum(axis=1), trained.score(rows), rtol=1e-12)


def test_contributions_of_mean_and_rms():
    z = modified(NEW)
    assert np.allclose(RobustZ().fit(X).contributions(NEW), z / 4)
    rms = np.sqrt((z**2).mean(axis=1, keepdims=True))
    assert np.allclose(RobustZ(combine="rms").fit(X).contributions(NEW), z**2 / 4 / rms)


def test_contributions_of_the_greatest_are_shapley_values():
    """A column's share is what it adds to the greatest of the columns before it, over all orders."""
    rows, expected = NEW[:10], np.zeros((10, 4))
    z = modified(rows)
    orders = list(permutations(range(4)))
    for order in orders:
        so_far = np.zeros(10)
        for j in order:
            expected[:, j] += (np.maximum(so_far, z[:, j]) - so_far) / len(orders)
            so_far = np.maximum(so_far, z[:, j])
    assert np.allclose(RobustZ(combine="max").fit(X).contributions(rows), expected)


def test_a_column_of_mostly_one_value_takes_the_mean_deviation():
    column = np.zeros((100, 1))
    column[:10] = 5.0
    unit = np.abs(column).mean() * 1.2533141373155
    assert RobustZ().fit(column).score(np.array([[5.0]]))[0] == pytest.approx(5 / unit)


def test_a_constant_column_has_unit_one():
    trained = RobustZ(combine="max").fit(np.full((10, 1), 3.0))
    assert trained.score(np.array([[3.0], [4.0], [-1.0]])).tolist() == [0.0, 1.0, 4.0]


def test_a_row_at_all_medians_has_no_reasons():
    for combine in ("mean", "rms", "max"):
        trained = RobustZ(combine=combine).fit(X)
        assert not trained.contributions(np.median(X, axis=0)[None]).any()


def test_values_out_of_all_measure_are_capped():
    scores = RobustZ(combine="max").fit(X).score(np.array([[1e308] * 4, [-1e308] * 4]))
    assert scores.tolist() == [1e9, 1e9]
