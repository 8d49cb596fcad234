"""What autoencoders share: the network's shape, how it is trained, how it scores. No deep learning here."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms import network_kernels as kernels
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State, read_only
from pynomaly.detection.algorithms.kernels import Codes, Singles
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks
from pynomaly.detection.parameters import rows_meant

MOST = 3.0
"""The network sees scaled values cut to this: what lies beyond is missed in full, and training stays calm."""

AUTO_SAMPLES = 50_000
AUTO_HIDDEN = 64
MAX_UNITS = 1_024
MAX_WEIGHT = 1e6
MAX_LAYERS = 16
HELD_OUT = 0.1
MAX_HELD_OUT = 5_000
FEWEST_HELD_OUT = 5
SCORED_AT_ONCE = 1_024
TRAINING_SHARE = 0.9
"""Of fitting, how much is training the network; the rest is scoring the rows."""


@dataclass(frozen=True)
class Network:
    """A dense network: units of each layer, all weights and all biases one after another."""

    sizes: Codes
    weights: Singles
    biases: Singles
    relu: bool

    @classmethod
    def of(cls, arrays: "list[Singles]", relu: bool) -> Self:
        """Join the layers' weights (inputs, outputs) and biases (outputs,), which alternate."""
        weights, biases = arrays[::2], arrays[1::2]
        sizes = np.array([len(weights[0]), *map(len, biases)], np.int32)
        flat = np.concatenate([one.ravel() for one in weights])
        return cls(sizes, flat.astype(np.float32), np.concatenate(biases).astype(np.float32), relu)

    @classmethod
    def take(cls, stored: Stored, d: int, relu: bool) -> Self:
        """Take a network that rebuilds `d` columns from stored arrays; the numbers of units must fit."""
        sizes = stored.take("sizes", np.int32, (None,), 1, max(d, MAX_UNITS))
        inner = sizes[1:-1]
        if not 3 <= len(sizes) <= MAX_LAYERS or sizes[0] != d or sizes[-1] != d or inner.max() > MAX_UNITS:
            raise stored.bad("sizes", "does not fit the columns")
        units = sizes.astype(np.int64)
        weights = stored.take(
            "weights", np.float32, (int((units[:-1] * units[1:]).sum()),), -MAX_WEIGHT, MAX_WEIGHT
        )
        biases = stored.take("biases", np.float32, (int(units[1:].sum()),), -MAX_WEIGHT, MAX_WEIGHT)
        return cls(sizes, weights, biases, relu)

    def rebuild(self, X: Matrix, progress: Progress | None = None, start: float = 0.0) -> Matrix:
        """Give the squared error of each scaled row as a whole: shape (m,)."""
        X, scores = read_only(X), np.empty(len(X))

        def work(begin: int, end: int) -> None:
            self._run(X, np.empty((end - begin, X.shape[1])), scores, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE, progress, start)
        return scores

    def errors(self, X: Matrix) -> Matrix:
        """Give the squared error of each column of each scaled row: shape (m, d)."""
        errors = np.empty(X.shape)
        self._run(read_only(X), errors, np.empty(len(X)), 0, len(X))
        return errors

    def _run(self, X: Matrix, errors: Matrix, scores: Matrix, begin: int, end: int) -> None:
        arrays = (read_only(self.sizes), read_only(self.weights), read_only(self.biases))
        kernels.rebuild(X, *arrays, self.relu, MOST, errors, scores, begin, end)


class Trainer(Protocol):
    """A deep-learning library at work on one network."""

    def step(self, given: Singles, wanted: Singles) -> None:
        """Move the weights so that the rows `given` give `wanted` a little more nearly, in squared error."""

    def arrays(self) -> list[Singles]:
        """Copy the layers' weights and biases, which alternate."""


class Rebuilding(Algorithm):
    """An autoencoder whose network is trained by a library and scored by our own kernel.

    Everything random (first weights, order of the rows, hidden values) is drawn here, so that training
    depends on the seed alone.
    """

    @abstractmethod
    def _trainer(self, arrays: list[Singles]) -> Trainer:
        """Begin training a network with these first weights and biases."""

    @property
    def thread_safe(self) -> bool:
        """Its library draws from generators of the whole process."""
        return False

    def _fit(self, X: Matrix, progress: Progress) -> None:
        self._scaling = Scaling.fit(X, self.params["scaling"])
        scaled = self._scaling.apply(X)
        rng = np.random.default_rng(self.seed)
        self._network = self._train(self._sample(scaled, rng), rng, progress)
        self._training_scores = self._network.rebuild(scaled, progress, TRAINING_SHARE)

    def _sample(self, X: Matrix, rng: np.random.Generator) -> Singles:
        """Draw the rows to train on, in random order, cut and in the network's type."""
        n = len(X)
        count = max(2, min(n, rows_meant(self.params["max_samples"], n, AUTO_SAMPLES)))
        if count < n:
            self._note(f"The network was trained on a random sample of {count} of the {n} rows.")
        return np.clip(X[rng.permutation(n)[:count]], -MOST, MOST).astype(np.float32)

    def _train(self, rows: Singles, rng: np.random.Generator, progress: Progress) -> Network:
        """Go through the rows until those held out get no better; give the best network."""
        epochs, patience = int(self.params["epochs"]), int(self.params["patience"])
        held = min(int(HELD_OUT * len(rows)), MAX_HELD_OUT) if patience else 0
        rows, test = (rows[held:], rows[:held]) if held >= FEWEST_HELD_OUT else (rows, rows)
        wide: Matrix = test[:MAX_HELD_OUT].astype(np.float64)
        relu = self.params["activation"] == "relu"
        trainer = self._trainer(first_weights(self._units(rows.shape[1]), rng))
        best, lowest, waited = Network.of(trainer.arrays(), relu), np.inf, 0
        for epoch in range(epochs):
            self._epoch(trainer, rows, rng)
            reached = Network.of(trainer.arrays(), relu)
            loss = float(reached.rebuild(wide).mean()) if np.isfinite(reached.weights).all() else np.inf
            waited = 0 if loss < lowest else waited + 1
            if loss < lowest or (not patience and np.isfinite(loss)):
                best, lowest = reached, min(loss, lowest)
            progress(TRAINING_SHARE * (epoch + 1) / epochs)
            if patience and waited >= patience:
                break
        return best

    def _units(self, d: int) -> list[int]:
        """Give the units of each layer, the columns first and last."""
        asked, narrow = self.params["hidden_size"], self.params["bottleneck"]
        first = AUTO_HIDDEN if asked == "auto" else int(asked)
        hidden = [max(1, first >> layer) for layer in range(int(self.params["n_layers"]))]
        middle = min(max(1, d // 2), hidden[-1]) if narrow == "auto" else int(narrow)
        return [d, *hidden, middle, *reversed(hidden), d]

    def _epoch(self, trainer: Trainer, rows: Singles, rng: np.random.Generator) -> None:
        """Go once through the rows in random order, in batches of one size (a shorter last one waits)."""
        size = min(int(self.params["batch_size"]), len(rows))
        order = rng.permutation(len(rows))
        for begin in range(0, len(rows) - size + 1, size):
            wanted = rows[order[begin : begin + size]]
            shown = rng.random(wanted.shape, dtype=np.float32) >= self.params["dropout"]
            trainer.step(wanted * shown, wanted)

    def _score(self, X: Matrix) -> Matrix:
        return self._network.rebuild(self._scaling.apply(X))

    def _contributions(self, X: Matrix) -> Matrix:
        return self._network.errors(self._scaling.apply(X))

    def state(self) -> State:
        """Give the layers' units, weights and biases, and the scaling."""
        network = self._network
        return {
            "sizes": network.sizes,
            "weights": network.weights,
            "biases": network.biases,
            **self._scaling.state(),
        }

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector; this and scoring need no deep-learning library."""
        made, stored = cls(seed=seed, **params), Stored(cls.name, state)
        made._scaling = Scaling.from_state(stored, made.params["scaling"])
        made.n_features_ = d = len(made._scaling.center)
        made._network = Network.take(stored, d, made.params["activation"] == "relu")
        return made

    @classmethod
    def warm_up(cls, X: Matrix) -> None:
        """Run the kernel once with random weights: no deep-learning library is needed, nor imported."""
        made = cls()
        made._scaling = Scaling.fit(X, made.params["scaling"])
        made.n_features_ = X.shape[1]
        arrays = first_weights(made._units(X.shape[1]), np.random.default_rng(0))
        made._network = Network.of(arrays, relu=False)
        again = cls.from_state(made.params, made.seed, made.state())
        again.score(X)
        again.contributions(X[:2])


def first_weights(sizes: list[int], rng: np.random.Generator) -> list[Singles]:
    """Draw each layer's weights (X. Glorot, Y. Bengio 2010) and zero biases, which alternate."""
    arrays: list[Singles] = []
    for inputs, outputs in pairwise(sizes):
        reach = np.sqrt(6 / (inputs + outputs))
        arrays.append(rng.uniform(-reach, reach, (inputs, outputs)).astype(np.float32))
        arrays.append(np.zeros(outputs, np.float32))
    return arrays
