"""Compiles all kernels beforehand: `python -m pynomaly.detection.algorithms.warm`.

Run it after each installation, as the user who will run Pynomaly: compiled code is kept where that user can
write.
"""

import sys
import time
from collections.abc import Iterable

import numpy as np

from pynomaly.detection.catalogue import CATALOGUE, load_class


def warm_up(names: Iterable[str] = tuple(CATALOGUE)) -> None:
    """Run every kernel of the named algorithms once on a tiny matrix."""
    X = np.random.default_rng(0).normal(size=(64, 2))
    for name in names:
        load_class(name).warm_up(X)


if __name__ == "__main__":
    began = time.perf_counter()
    warm_up()
    sys.stdout.write(f"Kernels are ready ({time.perf_counter() - began:.1f} s).\n")
