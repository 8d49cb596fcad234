"""The extended isolation forest: planes as the class says, walks by hand, no blind spots."""

import math

import numpy as np
import pytest

from pynomaly.detection.algorithms.extended_kernels import find_plane
from pynomaly.detection.algorithms.forest import IsolationForest
from pynomaly.detection.algorithms.forest_kernels import average_path
from pynomaly.detection.evaluate import auc_roc
from pynomaly.errors import BadBundle

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 4)) * [1, 10, 0.1, 5]


def forest(rows=X, **params):
    return IsolationForest(extended=True, **{"seed": 1} | params).fit(rows)


def walk(trees, t, row):
    """Follow one row down one tree: the nodes it comes through."""
    part = slice(trees.roots[t], trees.roots[t + 1])
    feature, weight, threshold = trees.feature[part], trees.weight[part], trees.threshold[part]
    below, node, path = trees.below[part], 0, [0]
    while below[node] != node:
        total = weight[node, 0] * row[feature[node, 0]] + weight[node, 1] * row[feature[node, 1]]
        node = below[node] + int(total > threshold[node])
        path.append(node)
    return path


def test_scores_are_those_of_the_definition():
    trained = forest(n_trees=20)
    trees = trained._trees
    rows = np.float32((X[:40] - trained._scaling.center) * (1 / trained._scaling.unit))
    for row, score in zip(rows, trained.training_scores_, strict=False):
        paths = [trees.value[trees.roots[t] + walk(trees, t, row)[-1]].astype(float) for t in range(20)]
        assert score == pytest.approx(2 ** (-np.mean(paths) / average_path(256.0)), rel=1e-9)


def test_values_are_depth_and_rows_left():
    trained = forest(n_trees=5, max_samples=1.0)
    trees = trained._trees
    rows = np.float32((X - trained._scaling.center) * (1 / trained._scaling.unit))
    for t in range(5):
        paths = [walk(trees, t, row) for row in rows]
        ends = [path[-1] for path in paths]
        for end, path in zip(ends, paths, strict=True):
            left = average_path(float(ends.count(end)))
            assert trees.value[trees.roots[t] + end] == pytest.approx(len(path) - 1 + left, rel=1e-6)
            assert len(path) - 1 <= math.ceil(math.log2(600))


def test_planes_weigh_two_columns_by_their_ranges():
    random = np.array([5], np.uint64)
    data = np.array([[0, 100], [0, 1], [7, 7]], np.float32)
    ratios, chosen = [], []
    for _ in range(2000):
        feature, weight = np.zeros(2, np.int32), np.zeros(2, np.float32)
        assert find_plane(data, np.arange(2), np.arange(3), random, feature, weight) == 2
        assert set(feature) == {0, 1}
        assert np.abs(weight).max() == 1
        by_column = weight[np.argsort(feature)]
        ratios.append(by_column[0] * 100 / by_column[1])
        chosen.append(feature[0])
    assert np.mean(chosen) == pytest.approx(0.5, abs=0.05)
    assert np.mean(np.abs(ratios) < 1) == pytest.approx(0.5, abs=0.05)  # two normal weights: Cauchy
    assert np.mean(np.array(ratios) < 0) == pytest.approx(0.5, abs=0.05)


def test_a_single_varying_column_is_cut_alone_and_none_makes_a_leaf():
    random, feature, weight = np.array([5], np.uint64), np.zeros(2, np.int32), np.zeros(2, np.float32)
    data = np.array([[3, 3], [0, 1]], np.float32)
    assert find_plane(data, np.arange(2), np.arange(2), random, feature, weight) == 1
    assert list(feature) == [1, 1]
    assert list(np.abs(weight)) == [1, 0]
    assert find_plane(data[:1], np.arange(2), np.arange(1), random, feature, weight) == 0


def test_has_no_ghosts_between_clusters():
    """Hariri et al. 2019, figure 1: the plain forest takes the empty corners of two clusters for normal."""
    rng = np.random.default_rng(3)
    two = np.concatenate([rng.normal(size=(500, 2)) + np.array(c) for c in ([0, 10], [10, 0])])
    ghosts, labels = np.array([[0, 0], [10, 10.0]]), np.r_[np.zeros(1000), 1, 1]
    areas = []
    for extended in (False, True):
        scores = [
            IsolationForest(extended=extended, seed=s).fit(two).score(np.concatenate([two, ghosts]))
            for s in range(3)
        ]
        areas.append(np.mean([auc_roc(labels, score) for score in scores]))
    assert areas[1] > areas[0]
    assert areas[1] > 0.97


def test_units_do_not_matter():
    other = forest(X * [1e3, 1, 1e-3, 7] + 5)
    assert np.corrcoef(forest().training_scores_, other.training_scores_)[0, 1] > 0.999


def test_contributions_add_up_to_the_score_and_go_to_the_columns_of_the_planes():
    trained = forest()
    rest = np.log2(trained.score(X)) - trained.contributions(X).sum(axis=1)
    assert np.ptp(rest) < 1e-9
    still = forest(np.column_stack([X, np.ones(600)]))
    assert not still.contributions(np.column_stack([X, np.full(600, 9)]))[:, 4].any()


def test_what_a_plane_takes_off_goes_to_the_columns_that_move_the_row():
    state = {
        "feature": np.array([[0, 1], [0, 0], [0, 0]], np.int32),
        "weight": np.array([[1, -0.5], [0, 0], [0, 0]], np.float32),
        "threshold": np.array([1.0, 0, 0], np.float32),
        "below": np.array([1, 1, 2], np.int32),
        "value": np.array([5 / 3, 2, 1], np.float32),
        "roots": np.array([0, 3]),
        "size": np.array([2]),
        "center": np.zeros(2),
        "unit": np.ones(2),
    }
    trained = IsolationForest.from_state({"extended": True}, 0, state)
    rows = np.array([[3.0, 0], [3, -2], [0, -4], [0, 0], [-1, 2], [1, 0]])
    assert list(trained.score(rows)) == [0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    parts = [[2 / 3, 0], [0.5, 1 / 6], [0, 2 / 3], [-1 / 6, -1 / 6], [-1 / 6, -1 / 6], [-1 / 6, -1 / 6]]
    assert np.allclose(trained.contributions(rows), parts)


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("below", 0, 0x7FFFFFF),
        ("below", 3, 1),
        ("feature", (0, 1), 4),
        ("weight", (0, 0), 2),
        ("roots", 1, 0),
    ],
)
def test_nodes_that_point_astray_are_refused(name, place, value):
    trained = forest(n_trees=4)
    state = {key: array.copy() for key, array in trained.state().items()}
    state[name][place] = value
    with pytest.raises(BadBundle):
        IsolationForest.from_state(trained.params, 0, state)


def test_deep_trees_are_walked_to_their_ends():
    trained = forest(RNG.normal(size=(6000, 3)), n_trees=3, max_samples=1.0)
    assert trained._trees._depths.max() > 12
    again = IsolationForest.from_state(trained.params, 0, trained.state())
    assert np.array_equal(again.training_scores_, np.empty(0))
    assert np.array_equal(again.score(X[:, :3]), trained.score(X[:, :3]))
