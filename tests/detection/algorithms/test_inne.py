"""INNE: scores by hand, spheres as in the paper, occlusions that name the column."""

import numpy as np
import pytest

from pynomaly.detection.algorithms.inne import INNE
from pynomaly.errors import BadBundle

X = np.random.default_rng(0).normal(size=(300, 3))


def isolation(row, spheres):
    """Score one row against one set of rows, by the definition."""
    gaps = np.linalg.norm(spheres[:, None] - spheres[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    radii, nearest = gaps.min(axis=1), gaps.argmin(axis=1)
    around = np.flatnonzero(np.linalg.norm(spheres - row, axis=1) <= radii)
    if not len(around):
        return 1.0
    chosen = around[radii[around].argmin()]
    return 1 - radii[nearest[chosen]] ** 2 / radii[chosen] ** 2


@pytest.mark.parametrize("size", [2, 8, 30])
def test_scores_are_those_of_the_definition(size):
    detector = INNE(n_estimators=20, max_samples=size, scaling="none", seed=4).fit(X)
    new = np.random.default_rng(1).normal(size=(40, 3)) * 2
    for row, score in zip(new, detector.score(new), strict=True):
        expected = np.mean([isolation(row, centers.T) for centers in detector._centers])
        assert score == pytest.approx(expected, abs=1e-12)


def test_sets_are_different_rows_without_replacement():
    detector = INNE(n_estimators=50, scaling="none").fit(X)
    for centers in detector._centers:
        assert len({tuple(row) for row in centers.T} & {tuple(row) for row in X}) == 8
    assert len(np.unique(detector._centers)) > 300


def test_rows_outside_all_spheres_are_isolated():
    detector = INNE().fit(X)
    assert detector.score(np.array([[50.0, 0, 0]])) == [1]
    assert detector.training_scores_.max() <= 1
    assert detector.training_scores_.min() >= 0


def test_dense_clusters_beside_thin_ones_are_told_apart():
    """A row at the edge of a dense cluster is more isolated than one inside a thin one (local anomalies)."""
    rng = np.random.default_rng(2)
    rows = np.concatenate([rng.normal(size=(500, 2)) * 0.1, rng.normal(size=(500, 2)) * 3 + 30])
    edge, inside = INNE(n_estimators=1000).fit(rows).score(np.array([[0.8, 0.8], [31.0, 31]]))
    assert edge > inside


def test_equal_rows_are_not_isolated():
    detector = INNE().fit(np.ones((20, 2)))
    assert not detector.training_scores_.any()
    assert detector.score(np.array([[1, 2.0]])) == [1]


def test_fewer_rows_than_a_set_are_said():
    detector = INNE().fit(X[:5])
    assert "all 5 rows" in detector.notes_[0]
    assert INNE().fit(X[:8]).notes_ == ()


def test_units_do_not_matter():
    one, other = INNE().fit(X), INNE().fit(X * [1e6, 1, 1e-6] + 5)
    assert np.allclose(one.training_scores_, other.training_scores_, atol=1e-6)


def test_contributions_name_the_column():
    far = np.array([[0, 6.0, 0], [0, 0, -6]])
    assert list(INNE().fit(X).contributions(far).argmax(axis=1)) == [1, 2]


@pytest.mark.parametrize(("name", "value"), [("radii", -1), ("isolation", 2), ("centers", 1e10)])
def test_spheres_that_cannot_be_are_refused(name, value):
    state = {key: array.copy() for key, array in INNE().fit(X).state().items()}
    state[name].flat[3] = value
    with pytest.raises(BadBundle, match=name):
        INNE.from_state({}, 0, state)
