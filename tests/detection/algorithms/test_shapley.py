"""Shapley values of isolation trees: equal to the definition, over all sets of columns."""

import itertools
import math

import numpy as np
import pytest

from pynomaly.detection.algorithms.forest import IsolationForest
from pynomaly.detection.algorithms.forest_kernels import average_path
from pynomaly.detection.algorithms.shapley import quadrature
from pynomaly.detection.algorithms.shapley_kernels import leaf_rows


class Tree:
    """One tree of a forest, walked by the definition of path-dependent expectations."""

    def __init__(self, trees, t):
        part = slice(trees.roots[t], trees.roots[t + 1])
        self.feature, self.threshold, self.left = trees.feature[part], trees.threshold[part], trees.left[part]
        self.value = trees.value[part].astype(float)

    def count(self, rows, node=0):
        """Follow the training rows down: how many reach each node."""
        found = {node: len(rows)}
        if self.left[node]:
            right = rows[:, self.feature[node]] > self.threshold[node]
            found |= self.count(rows[~right], self.left[node]) | self.count(rows[right], self.left[node] + 1)
        return found

    def expect(self, row, known, counts, node=0):
        a = self.left[node]
        if not a:
            return self.value[node]
        if self.feature[node] in known:
            return self.expect(row, known, counts, a + int(row[self.feature[node]] > self.threshold[node]))
        both = [counts[c] * self.expect(row, known, counts, c) for c in (a, a + 1)]
        return sum(both) / counts[node]


def shapley_values(forest, X, row):
    """Sum, over all sets of the other columns, what a column adds to the expected path; by the definition."""
    d, found = X.shape[1], np.zeros(X.shape[1])
    rows, row = (np.float32((x - forest._scaling.center) / forest._scaling.unit) for x in (X, row))
    for t in range(len(forest._trees)):
        tree = Tree(forest._trees, t)
        counts = tree.count(rows)
        for j, size in itertools.product(range(d), range(d)):
            weight = math.factorial(size) * math.factorial(d - 1 - size) / math.factorial(d)
            for known in itertools.combinations([c for c in range(d) if c != j], size):
                with_j = tree.expect(row, {*known, j}, counts)
                found[j] -= weight * (with_j - tree.expect(row, set(known), counts))
    return found


@pytest.mark.parametrize(("n", "d"), [(40, 1), (3, 2), (70, 2), (60, 3), (200, 5), (30, 7)])
def test_are_those_of_the_definition(n, d):
    rng = np.random.default_rng(d)
    X = rng.normal(size=(n, d)) * 100
    X[: n // 4] = X[0]  # leaves with many equal rows
    forest = IsolationForest(n_trees=3, max_samples=1.0, seed=n).fit(X)
    rows = np.concatenate([X[:2], rng.normal(size=(3, d)) * 300])
    expected = [shapley_values(forest, X, row) / forest._norm for row in rows]
    assert np.allclose(forest.contributions(rows), expected, atol=1e-9)


def test_paths_longer_than_eight_columns_take_more_points():
    assert [len(quadrature(unlike)) for unlike in (1, 8, 9, 16, 40)] == [1, 1, 2, 2, 5]
    X = np.random.default_rng(0).normal(size=(1500, 12))
    forest = IsolationForest(n_trees=2, max_samples=1.0, seed=1).fit(X)
    assert forest._trees.depth > 8
    rest = np.log2(forest.score(X[:30])) - forest.contributions(X[:30]).sum(axis=1)
    assert np.ptp(rest) < 1e-9


@pytest.mark.parametrize("unlike", [1, 3, 8, 9, 20])
def test_quadrature_is_exact(unlike):
    parts = quadrature(unlike)
    for degree in range(unlike):
        found = sum((weights * points**degree).sum() for points, weights in parts)
        assert found == pytest.approx(1 / (degree + 1), rel=1e-12)


def test_a_leafs_rows_follow_from_its_path():
    for n in (*range(1, 400), 1000, 5000, 60_000):
        depth = 9
        assert leaf_rows(np.float32(depth + average_path(float(n))) - np.float64(depth)) == n


@pytest.mark.parametrize("extra", [-5.0, 0.3, 39.0, 1e6])
def test_impossible_leaves_still_hold_a_row(extra):
    assert 1 <= leaf_rows(extra) < 1e12


def test_a_column_that_is_never_cut_gets_nothing():
    X = np.column_stack([np.random.default_rng(0).normal(size=(300, 2)), np.ones(300)])
    contributions = IsolationForest(n_trees=20).fit(X).contributions(X[:20] + np.array([0, 0, 9]))
    assert not contributions[:, 2].any()
    assert contributions[:, :2].any()
