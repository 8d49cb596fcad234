"""The autoencoder of `autoencoder`, trained by Keras 3 on TensorFlow."""

import os

from pynomaly.detection import catalogue
from pynomaly.detection.algorithms.kernels import Singles
from pynomaly.detection.algorithms.networks import Rebuilding


class KerasAutoencoder(Rebuilding):
    """Autoencoder, trained by Keras on TensorFlow (extra `tensorflow`); scoring needs the base package only.

    The network, its training, its score and its contributions are those of `autoencoder` (S. Hawkins et al.,
    "Outlier detection using replicator neural networks", 2002; P. Vincent et al. 2008): only the library
    that moves the weights differs.

    Score: squared error of rebuilding the scaled row, in squared standard deviations, summed over the
    columns; `contributions` are the columns' parts, exact. Time: fitting O(epochs * n * weights), scoring
    O(weights) a row.
    """

    name = "keras_autoencoder"

    def _trainer(self, arrays: list[Singles]) -> "KerasTrainer":
        catalogue.get(self.name).require()
        return KerasTrainer(arrays, self.params["activation"], float(self.params["learning_rate"]))


class KerasTrainer:
    """Keras at work on one network."""

    def __init__(self, arrays: list[Singles], activation: str, learning_rate: float) -> None:
        """Begin with these weights and biases, which alternate."""
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # else it tells each user that sums may differ
        import keras

        kinds = [activation] * (len(arrays) // 2 - 1) + ["linear"]
        layers = [keras.layers.Dense(len(bias), kind) for bias, kind in zip(arrays[1::2], kinds, strict=True)]
        self._model = keras.Sequential([keras.Input((len(arrays[0]),)), *layers])
        self._model.set_weights(arrays)
        self._model.compile(keras.optimizers.Adam(learning_rate), "mse", jit_compile=False)

    def step(self, given: Singles, wanted: Singles) -> None:
        """Take one step down the mean squared error."""
        self._model.train_on_batch(given, wanted)

    def arrays(self) -> list[Singles]:
        """Copy the weights and biases."""
        arrays: list[Singles] = self._model.get_weights()
        return arrays
