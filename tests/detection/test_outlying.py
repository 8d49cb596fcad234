"""The share of rows far out in a column: planted ones are counted, ordinary tables have none."""

import numpy as np
import pytest

from pynomaly.detection.algorithms.contract import MemberScores
from pynomaly.detection.outlying import LEVELS, Outlying
from pynomaly.errors import BadBundle


def distances(X):
    """Score by the greatest distance from a column's median, in the column's quartile gaps."""
    low, middle, high = np.quantile(X / 4, [0.25, 0.5, 0.75], axis=0)
    return np.abs((X / 4 - middle) / np.where(high > low, high - low, 1e308)).max(axis=1)


def outlying_share(X, fdr):
    return Outlying.fit(X, distances(X)).share(fdr)


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


def test_rows_count_by_their_scores():
    """A far-out row that scores low is not reached; normal rows above one count, but not beyond the last."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 3))
    X[:20, 1] = 30.0
    scores = distances(X)
    assert Outlying.fit(X, scores).share(0.1) == 0.02
    scores[900:902] = 99.0
    assert Outlying.fit(X, scores).share(0.1) == 0.022
    assert Outlying.fit(X, scores).share(0.05) == 0
    assert Outlying.fit(X, -scores).share(0.5) == 0


def test_rows_that_a_member_finds_far_out_count():
    rng = np.random.default_rng(0)
    X, found = rng.normal(size=(1000, 3)), rng.normal(size=(3, 400)) ** 2
    rows = np.sort(rng.choice(1000, 400, replace=False))
    scores = np.zeros(1000)
    assert Outlying.fit(X, scores, MemberScores(found, rows)).share(0.2) == 0
    found[1, :20] = 500.0
    scores[rows[:20]] = 1.0
    assert Outlying.fit(X, scores, MemberScores(found, rows)).share(0.2) == 0.05


def test_the_outlying_share_of_odd_tables():
    assert outlying_share(np.zeros((50, 2)), 0.2) == 0
    assert outlying_share(np.array([[1.0], [2.0]]), 0.2) == 0
    huge = np.concatenate([np.random.default_rng(0).normal(size=999), [1e308]])[:, None]
    assert 0.001 <= outlying_share(huge, 0.2) <= 0.01
    assert outlying_share(np.linspace(-1.0, 1.0, 100)[:, None] * 1e308, 0.2) == 0
    many = np.random.default_rng(0).normal(size=(60_000, 1))
    many[::100] = 50.0
    assert outlying_share(many, 0.2) == pytest.approx(0.01, abs=0.0035)


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


def test_a_lower_level_counts_fewer_rows_and_levels_between_are_rounded_down():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    X[:10, 0] = np.linspace(4, 8, 10)
    found = Outlying.fit(X, distances(X))
    assert list(found.shares) == sorted(found.shares)
    assert found.share(0.01) < found.share(0.5) <= 0.03
    assert found.share(0.009) == 0
    assert found.share(0.19) == found.shares[LEVELS.index(0.1)]
    assert Outlying.from_json(list(found.shares)) == found


@pytest.mark.parametrize("stored", [None, 0.1, [], [0.1] * 6, [0.1] * 6 + [2.0], [0.1] * 6 + ["0.1"]])
def test_stored_shares_that_make_no_sense_are_refused(stored):
    with pytest.raises(BadBundle):
        Outlying.from_json(stored)
