"""ECOD and COPOD: equal to their formulas by brute force, whatever is kept of the training values."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pynomaly.detection.algorithms import tail_kernels as kernels
from pynomaly.detection.algorithms.copod import COPOD, skewed_to
from pynomaly.detection.algorithms.ecod import ECOD
from pynomaly.detection.algorithms.tails import ALL_KEPT, FINE, kept_ranks

RNG = np.random.default_rng(0)


def tails(train, rows):
    """Give -log of both tails, counted one by one."""
    n = len(train)
    left = [[max((train[:, j] <= x).sum(), 0.5) / n for j, x in enumerate(row)] for row in rows]
    right = [[max((train[:, j] >= x).sum(), 0.5) / n for j, x in enumerate(row)] for row in rows]
    return -np.log(left), -np.log(right)


def table(n, seed=0):
    rng = np.random.default_rng(seed)
    columns = [
        rng.normal(size=n),
        rng.lognormal(sigma=3, size=n),
        rng.integers(0, 4, n).astype(float),
        -rng.exponential(size=n),
        np.where(rng.random(n) < 0.9, 0.0, rng.normal(size=n)),
    ]
    return np.column_stack(columns)


def new_rows(train):
    between = (train[:40] + train[40:80]) / 2
    return np.concatenate([train[:60], between, train.min(axis=0)[None] - 1, train.max(axis=0)[None] + 1])


class TestECOD:
    def test_is_the_sum_of_the_smaller_tails(self):
        train = table(500)
        rows = new_rows(train)
        ecod = ECOD().fit(train)
        parts = np.maximum(*tails(train, rows))
        assert np.allclose(ecod.contributions(rows), parts, rtol=1e-12, atol=1e-12)
        assert np.allclose(ecod.score(rows), parts.sum(axis=1), rtol=1e-12)

    def test_contributions_add_up_to_the_score(self):
        train = table(30_000)
        ecod = ECOD().fit(train)
        assert np.allclose(ecod.contributions(train).sum(axis=1), ecod.training_scores_, rtol=1e-12)

    def test_a_row_far_outside_scores_above_every_training_row(self):
        train = table(300)
        ecod = ECOD().fit(train)
        assert ecod.score(train.max(axis=0)[None] + 1)[0] > ecod.training_scores_.max()

    def test_many_rows_are_thinned_to_a_tail_error_of_a_256th(self):
        train = RNG.lognormal(size=(30_000, 1))
        ecod = ECOD().fit(train)
        assert len(ecod.state()["knots"]) < 5_000
        rows = np.concatenate([train[::10], np.quantile(train, RNG.random((500, 1)))])
        ordered = np.sort(train[:, 0])
        left = np.searchsorted(ordered, rows[:, 0], "right") / len(train)
        right = 1 - np.searchsorted(ordered, rows[:, 0], "left") / len(train)
        exact = np.maximum(-np.log(np.maximum(left, 0.5 / 30_000)), -np.log(np.maximum(right, 0.5 / 30_000)))
        error = np.abs(ecod.score(rows) - exact)
        assert error.max() < 1.05 / FINE
        assert error[np.minimum(left, right) <= FINE / 30_000].max() < 1e-9

    @pytest.mark.parametrize("algorithm", [ECOD, COPOD])
    def test_takes_less_memory_than_half_the_data(self, algorithm):
        X = RNG.normal(size=(200_000, 10))
        algorithm().fit(X[:1000])
        tracemalloc.start()
        try:
            trained = algorithm().fit(X)
            trained.score(X)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < X.nbytes / 2


class TestCOPOD:
    def test_is_the_sum_of_its_formula(self):
        train = table(500)
        rows = new_rows(train)
        left, right = tails(train, rows)
        sides = [skewed_to(np.sort(column)) for column in train.T]
        assert sides == [0, 1, sides[2], -1, 0]
        chosen = [
            left[:, j] if side < 0 else right[:, j] if side > 0 else np.maximum(left[:, j], right[:, j])
            for j, side in enumerate(sides)
        ]
        parts = np.maximum(np.array(chosen).T, (left + right) / 2)
        outside = (rows < train.min(axis=0)) | (rows > train.max(axis=0))
        parts[outside] = np.maximum(left, right)[outside]
        copod = COPOD().fit(train)
        assert np.allclose(copod.contributions(rows), parts, rtol=1e-12, atol=1e-12)
        assert np.allclose(copod.score(rows), parts.sum(axis=1), rtol=1e-12)

    def test_a_few_far_rows_do_not_skew_a_column(self):
        column = np.sort(np.concatenate([RNG.normal(size=1000), [40.0, 50.0]]))
        assert skewed_to(column) == 0

    def test_skewed_columns_hide_the_short_tail(self):
        X = RNG.exponential(size=(2000, 1))
        short, far = COPOD().fit(X).score(np.array([[X.min()], [X.max()]]))
        assert far > 1.9 * short

    @pytest.mark.parametrize("shift", [0.0, 1e9, -1e9])
    @pytest.mark.parametrize("sign", [-1, 1])
    def test_the_long_tail_is_found_at_any_place(self, sign, shift):
        column = np.sort(sign * RNG.gamma(2, size=5000) + shift)
        assert skewed_to(column) == sign


class TestKnots:
    @pytest.mark.parametrize("n", [2, 3, 100, ALL_KEPT])
    def test_all_of_few_values_are_kept(self, n):
        assert np.array_equal(kept_ranks(n), np.arange(n))

    @pytest.mark.parametrize("n", [ALL_KEPT + 1, 10_000, 123_457])
    def test_ranks_are_dense_at_both_ends(self, n):
        ranks = kept_ranks(n)
        assert np.array_equal(ranks[:FINE], np.arange(FINE))
        assert np.array_equal(ranks[-FINE:], np.arange(n - FINE, n))
        inner = ranks[(ranks >= FINE) & (ranks < n // 2)]
        assert (np.diff(inner) <= 1 + (inner[:-1] + 1) / FINE).all()
        assert len(ranks) < 10_000

    @settings(deadline=None, max_examples=200)
    @given(
        arrays(
            np.float64, st.integers(2, 40), elements=st.sampled_from([-1e300, -2, -1, 0, 0.5, 1, 7, 1e300])
        ),
        st.data(),
    )
    def test_counts_are_those_of_a_sorted_search(self, column, data):
        column.sort()
        ranks = np.unique(data.draw(st.lists(st.integers(0, len(column) - 1), min_size=1)))
        knots, left, right = np.empty(len(ranks)), np.empty(2 * len(ranks) + 1), np.empty(2 * len(ranks) + 1)
        k = kernels.find_knots(column, ranks, knots, left, right)
        expected = np.unique(column[ranks])
        upto = np.searchsorted(column, expected, "right")
        onward = len(column) - np.searchsorted(column, expected, "left")
        assert np.array_equal(knots[:k], expected)
        assert np.array_equal(left[1 : 2 * k : 2], upto)
        assert np.array_equal(left[: 2 * k + 1 : 2], np.concatenate([[0], upto]))
        assert np.array_equal(right[1 : 2 * k : 2], onward)
        assert np.array_equal(right[: 2 * k + 1 : 2], np.concatenate([onward, [0]]))

    @settings(deadline=None, max_examples=200)
    @given(
        st.lists(st.floats(-1e308, 1e308), min_size=1, max_size=50, unique=True),
        st.lists(st.floats(-1.7e308, 1.7e308), min_size=1, max_size=20),
        st.integers(1, 40),
        st.floats(-1e308, 1e308),
        st.sampled_from([0.0, 1e-300, 1e-3, 1.0, 1e5, 1e300]),
    )
    def test_places_are_those_of_a_sorted_search(self, values, queries, cells, low, inverse):
        """Wherever the guide lies: it makes the search faster, never different."""
        knots = np.unique(np.array(values) + 0.0)
        guide = np.empty(cells + 1, np.int32)
        kernels.fill_guide(knots, low, inverse, guide)
        padded, rows = np.append(knots, np.inf), np.array([*queries, *values])
        before = np.searchsorted(knots, rows, "left")
        equal = padded[before] == rows
        own, found = (padded, guide, np.arange(2 * len(knots) + 1.0)), np.empty(len(rows))
        kernels.find_parts(rows, own, low, inverse, found)
        assert np.array_equal(found, 2 * before + equal)
