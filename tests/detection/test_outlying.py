"""The share of rows far out in a column: planted ones are counted, ordinary tables have none."""

import numpy as np
import pytest

from pynomaly.detection.outlying import outlying_share


def test_the_outlying_share_is_of_rows_far_out_in_a_column():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 4)) * [1, 1000, 1e-9, 1]
    assert outlying_share(X, 0.2) == 0
    X[:15, 2] = 20e-9
    X[15:20, 1] = -1e5
    assert outlying_share(X, 0.2) == 0.02
    X[:, 3] = 0.0
    X[:50, 3] = 1.0  # rare, but no distance: most rows equal the median
    assert outlying_share(X, 0.2) == 0.02


def test_the_outlying_share_of_odd_tables():
    assert outlying_share(np.zeros((50, 2)), 0.2) == 0
    assert outlying_share(np.array([[1.0], [2.0]]), 0.2) == 0
    huge = np.concatenate([np.random.default_rng(0).normal(size=999), [1e308]])[:, None]
    assert outlying_share(huge, 0.2) == 0.001
    assert outlying_share(np.linspace(-1.0, 1.0, 100)[:, None] * 1e308, 0.2) == 0
    many = np.random.default_rng(0).normal(size=(60_000, 1))
    many[::100] = 50.0
    assert outlying_share(many, 0.2) == pytest.approx(0.01, abs=0.002)


@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("d", [1, 10])
def test_ordinary_tables_have_none(n, d):
    """Normal, uniform and two-cluster columns: one table in ten at most has a row that counts."""
    found = []
    for seed in range(30):
        rng = np.random.default_rng([seed, n, d])
        found.append(outlying_share(rng.normal(size=(n, d)), 0.2) > 0)
        found.append(outlying_share(rng.uniform(size=(n, d)), 0.2) > 0)
        found.append(outlying_share(rng.normal(size=(n, d)) + 8 * (rng.random((n, 1)) < 0.4), 0.2) > 0)
    assert np.mean(found) <= 0.1
