"""Autoencoder: rows that a network with a narrow middle cannot rebuild are odd (Hawkins et al. 2002)."""

from collections.abc import Iterator
from contextlib import contextmanager

from pynomaly.detection import catalogue
from pynomaly.detection.algorithms.contract import Matrix, Progress
from pynomaly.detection.algorithms.kernels import Singles
from pynomaly.detection.algorithms.networks import Rebuilding


class Autoencoder(Rebuilding):
    """Autoencoder, trained by PyTorch (extra `torch`); loading and scoring need the base package only.

    S. Hawkins, H. He, G. Williams, R. Baxter, "Outlier detection using replicator neural networks", 2002:
    a network learns to give back its input through a narrow middle. Training hides some values (P. Vincent
    et al., "Extracting and composing robust features with denoising autoencoders", 2008), moves the weights
    by Adam (D. Kingma, J. Ba 2015), and stops when rows held out get no better.

    Score: squared error of rebuilding the scaled row, in squared standard deviations, summed over the
    columns. `contributions` are the columns' parts: exact, they add up to the score. The network sees values
    cut to 3 standard deviations; the error is measured to the value itself.

    Time: fitting O(epochs * n * weights), scoring O(weights) a row. The same seed gives the same bits on
    the same machine with the same PyTorch, on any number of threads.
    """

    name = "autoencoder"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        catalogue.get(self.name).require()
        with one_thread():
            super()._fit(X, progress)

    def _trainer(self, arrays: list[Singles]) -> "TorchTrainer":
        relu = self.params["activation"] == "relu"
        return TorchTrainer(arrays, relu, float(self.params["learning_rate"]))


class TorchTrainer:
    """PyTorch at work on one network, on the CPU."""

    def __init__(self, arrays: list[Singles], relu: bool, learning_rate: float) -> None:
        """Begin with these weights and biases, which alternate."""
        import torch

        self._torch = torch
        self._activation = torch.relu if relu else torch.tanh
        self._parameters = [torch.tensor(array, requires_grad=True) for array in arrays]
        self._optimizer = torch.optim.Adam(self._parameters, lr=learning_rate)

    def step(self, given: Singles, wanted: Singles) -> None:
        """Take one step down the mean squared error."""
        values = self._torch.from_numpy(given)
        last = len(self._parameters) - 2
        for i in range(0, last + 1, 2):
            values = self._torch.addmm(self._parameters[i + 1], values, self._parameters[i])
            if i < last:
                values = self._activation(values)
        self._optimizer.zero_grad()
        self._torch.nn.functional.mse_loss(values, self._torch.from_numpy(wanted)).backward()
        self._optimizer.step()

    def arrays(self) -> list[Singles]:
        """Copy the weights and biases."""
        return [parameter.detach().numpy().copy() for parameter in self._parameters]


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch use one thread: small networks are no slower, and sums keep one order."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
