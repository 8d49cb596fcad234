"""Non-parametric diffusion time: the inverse gamma posterior of Livernoche et al. (2024), worked out anew."""

import numpy as np
import pytest
from scipy.stats import invgamma
from sklearn.neighbors import NearestNeighbors

from pynomaly.detection.algorithms.dte import DiffusionTime

RNG = np.random.default_rng(0)
X = RNG.normal(size=(500, 6))
NEW = np.concatenate([RNG.normal(size=(60, 6)), RNG.normal(size=(20, 6)) * 3])


def squares(train, rows, k=5):
    """Mean squared distance to the k nearest training rows, by scikit-learn."""
    search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(train)
    return (search.kneighbors(rows)[0] ** 2).mean(axis=1)


@pytest.mark.parametrize("k", [1, 5, 100])
@pytest.mark.parametrize("scaling", ["robust", "standard", "none"])
def test_score_is_the_mean_squared_distance_for_each_column(k, scaling):
    ours = DiffusionTime(n_neighbors=k, scaling=scaling).fit(X)
    train, new = ours._scaling.apply(X), ours._scaling.apply(NEW)
    assert np.allclose(ours.training_scores_, squares(train, None, k) / 6, rtol=1e-7)
    assert np.allclose(ours.score(NEW), squares(train, new, k) / 6, rtol=1e-7)


def test_score_is_the_mode_of_the_posterior_noise_variance():
    ours = DiffusionTime(scaling="none").fit(X)
    grid = np.linspace(0.01, 12, 40_000)
    for scale, score in zip(squares(X, NEW)[:10] / 2, ours.score(NEW)[:10], strict=True):
        density = invgamma.pdf(grid, a=6 / 2 - 1, scale=scale)
        assert score == pytest.approx(grid[density.argmax()], abs=1e-3)


def test_ranks_rows_as_the_papers_mean_time_does():
    """300 steps with variances from 1e-4 to 1e-2 added up, as in the paper's schedule."""
    variances = 1 - np.cumprod(1 - np.linspace(1e-4, 1e-2, 300))
    log = invgamma.logpdf(variances, a=6 / 2 - 1, scale=squares(X, NEW)[:, None] / 2)
    posterior = np.exp(log - log.max(axis=1, keepdims=True))
    times = (posterior * np.arange(300)).sum(axis=1) / posterior.sum(axis=1)
    ours = DiffusionTime(scaling="none").fit(X).score(NEW)
    assert np.array_equal(np.argsort(ours), np.argsort(times))


def test_fewer_rows_than_neighbours_is_said():
    ours = DiffusionTime(n_neighbors=20).fit(X[:8])
    assert "all 7 others" in ours.notes_[0]
    assert np.allclose(ours.training_scores_, squares(ours._scaling.apply(X[:8]), None, 7) / 6)


def test_duplicates_leave_one_copy_out():
    rows = np.concatenate([X[:40], X[:2]])
    ours = DiffusionTime(n_neighbors=1).fit(rows)
    assert set(np.flatnonzero(ours.training_scores_ == 0)) == {0, 1, 40, 41}
    assert np.array_equal(ours.score(rows), ours.training_scores_)
