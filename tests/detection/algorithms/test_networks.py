"""What autoencoders share: the kernel beside numpy, the checks of stored networks, how training goes."""

import subprocess
import sys

import numpy as np
import pytest

from pynomaly.detection.algorithms.autoencoder import Autoencoder
from pynomaly.detection.algorithms.keras_autoencoder import KerasAutoencoder
from pynomaly.detection.algorithms.networks import MOST, Network, Rebuilding, first_weights
from pynomaly.errors import BadBundle


def network(sizes, relu=False, seed=0):
    arrays = first_weights(sizes, np.random.default_rng(seed))
    for bias in arrays[1::2]:
        bias += np.random.default_rng(1).normal(size=len(bias)).astype(np.float32)
    return arrays, Network.of(arrays, relu)


def by_numpy(arrays, relu, X):
    values = np.clip(X, -MOST, MOST)
    for i in range(0, len(arrays), 2):
        values = values @ arrays[i].astype(float) + arrays[i + 1]
        if i < len(arrays) - 2:
            values = np.maximum(values, 0) if relu else np.tanh(values)
    return (X - values) ** 2


class Descending:
    """A stand-in for a deep-learning library: a network of one linear layer, moved by plain gradients."""

    def __init__(self, arrays):
        self.weights, self.bias = (array.astype(np.float64) for array in arrays)
        self.steps = 0

    def step(self, given, wanted):
        miss = given @ self.weights + self.bias - wanted
        self.weights -= 0.1 * given.T @ miss / len(given)
        self.bias -= 0.1 * miss.mean(axis=0)
        self.steps += 1

    def arrays(self):
        return [self.weights.astype(np.float32), self.bias.astype(np.float32)]


class Simple(Rebuilding):
    """An autoencoder that `Descending` trains."""

    name = "autoencoder"

    def _units(self, d):
        return [d, d]

    def _trainer(self, arrays):
        self.trainer = Descending(arrays)
        return self.trainer


class Diverging(Descending):
    """A trainer whose weights are no numbers after the first epoch."""

    def step(self, given, wanted):
        self.weights[:] = np.nan


def rows(n=200, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


class TestKernel:
    @pytest.mark.parametrize("relu", [False, True])
    @pytest.mark.parametrize("sizes", [[3, 8, 2, 8, 3], [1, 4, 1], [5, 64, 32, 2, 32, 64, 5]])
    def test_is_what_numpy_computes(self, sizes, relu):
        arrays, made = network(sizes, relu)
        X = rows(50, sizes[0]) * 4
        wanted = by_numpy(arrays, relu, X)
        assert np.allclose(made.errors(X), wanted, rtol=1e-10)
        assert np.allclose(made.rebuild(X), wanted.sum(axis=1), rtol=1e-10)

    def test_one_row_and_many_agree_to_the_bit(self):
        _, made = network([4, 16, 2, 16, 4])
        X = rows(3000, 4)
        assert np.array_equal([made.rebuild(X[i : i + 1])[0] for i in range(100)], made.rebuild(X)[:100])

    def test_columns_add_up_to_the_score(self):
        _, made = network([4, 16, 2, 16, 4])
        X = rows(20, 4)
        assert np.allclose(made.errors(X).sum(axis=1), made.rebuild(X), rtol=1e-14)

    def test_what_lies_beyond_is_missed_in_full(self):
        _, made = network([2, 4, 1, 4, 2])
        near, far = made.errors(np.array([[MOST, 0.0], [MOST + 100, 0.0]]))
        assert np.sqrt(far[0]) > 99
        assert near[1] == far[1]


class TestTraining:
    def test_learns_to_rebuild(self):
        algorithm = Simple(epochs=60, patience=0, dropout=0.0).fit(rows())
        untrained = Simple(epochs=1, learning_rate=0.5).fit(rows())
        assert algorithm.training_scores_.mean() < untrained.training_scores_.mean() / 4

    def test_stops_when_the_rows_held_out_get_no_better(self):
        algorithm = Simple(epochs=5_000, patience=3, dropout=0.0, batch_size=20).fit(rows())
        assert algorithm.trainer.steps < 5_000 * 9

    def test_never_stops_early_without_patience(self):
        algorithm = Simple(epochs=40, patience=0, batch_size=20).fit(rows())
        assert algorithm.trainer.steps == 40 * 10

    def test_weights_that_are_no_numbers_are_never_kept(self):
        algorithm = Simple(epochs=3, patience=0)
        algorithm._trainer = Diverging
        assert np.isfinite(algorithm.fit(rows()).training_scores_).all()

    def test_trains_on_a_sample_and_says_so(self):
        algorithm = Simple(max_samples=50, epochs=2, batch_size=10, patience=0).fit(rows())
        assert algorithm.notes_ == ("The network was trained on a random sample of 50 of the 200 rows.",)
        assert algorithm.trainer.steps == 2 * 5
        assert len(algorithm.training_scores_) == 200

    def test_the_seed_settles_everything(self):
        one, same, other = (Simple(seed=s, epochs=3).fit(rows()).training_scores_ for s in (1, 1, 2))
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)

    @pytest.mark.parametrize("n", [2, 3, 5, 60])
    def test_few_rows_are_enough(self, n):
        assert np.isfinite(Simple(epochs=2).fit(rows(n)).training_scores_).all()


class TestUnits:
    @pytest.mark.parametrize(
        ("params", "d", "units"),
        [
            ({}, 8, [8, 64, 32, 4, 32, 64, 8]),
            ({}, 1, [1, 64, 32, 1, 32, 64, 1]),
            ({}, 300, [300, 64, 32, 32, 32, 64, 300]),
            ({"n_layers": 1, "hidden_size": 10, "bottleneck": 3}, 6, [6, 10, 3, 10, 6]),
            ({"n_layers": 4, "hidden_size": 2}, 4, [4, 2, 1, 1, 1, 1, 1, 1, 1, 2, 4]),
        ],
    )
    def test_are_as_asked(self, params, d, units):
        assert Autoencoder(**params)._units(d) == units


class TestStored:
    def state(self):
        algorithm = Simple(epochs=1).fit(rows())
        _, algorithm._network = network([3, 8, 2, 8, 3])
        return algorithm, algorithm.state()

    def test_loads_for_both_libraries(self):
        algorithm, state = self.state()
        for cls in (Autoencoder, KerasAutoencoder):
            again = cls.from_state(algorithm.params, 0, state)
            assert np.array_equal(again.score(rows(9)), algorithm.score(rows(9)))
            assert np.array_equal(again.contributions(rows(9)), algorithm.contributions(rows(9)))

    @pytest.mark.parametrize(
        "sizes",
        [[3, 8, 2, 8, 4], [4, 8, 2, 8, 3], [3, 3], [3, 8, 2, 9, 3], [3, 0, 3], [3, 2_000, 3], [3] * 20],
    )
    def test_sizes_that_do_not_fit_are_refused(self, sizes):
        algorithm, state = self.state()
        state["sizes"] = np.array(sizes, np.int32)
        with pytest.raises(BadBundle, match="damaged"):
            Autoencoder.from_state(algorithm.params, 0, state)

    @pytest.mark.parametrize("value", [np.nan, np.inf, 1e7])
    def test_weights_out_of_range_are_refused(self, value):
        algorithm, state = self.state()
        state["weights"] = state["weights"].copy()
        state["weights"][5] = value
        with pytest.raises(BadBundle, match="weights"):
            Autoencoder.from_state(algorithm.params, 0, state)

    def test_largest_weights_still_score_finitely(self):
        algorithm, state = self.state()
        state["weights"] = np.full_like(state["weights"], 1e6)
        for activation in ("relu", "tanh"):
            again = Autoencoder.from_state({**algorithm.params, "activation": activation}, 0, state)
            assert np.isfinite(again.score(np.full((1, 3), 1.7e308))).all()


def test_loading_and_scoring_import_no_deep_learning_library():
    code = (
        "import sys, numpy as np;"
        "from pynomaly.detection.catalogue import load_class;"
        "X = np.random.default_rng(0).normal(size=(64, 2));"
        "[load_class(name).warm_up(X) for name in ('autoencoder', 'keras_autoencoder')];"
        "print([m for m in ('torch', 'keras', 'tensorflow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
