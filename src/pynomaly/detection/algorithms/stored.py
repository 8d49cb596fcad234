"""Reads an algorithm's stored arrays, trusting none of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pynomaly.errors import BadBundle


class Stored:
    """The arrays of one stored model; each is checked when taken."""

    def __init__(self, algorithm: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Name the algorithm for messages."""
        self.algorithm = algorithm
        self.arrays = arrays

    def take(
        self,
        name: str,
        dtype: DTypeLike,
        shape: tuple[int | None, ...],
        low: float = -np.finfo(np.float64).max,
        high: float = np.finfo(np.float64).max,
    ) -> NDArray[Any]:
        """Copy one array: exactly this dtype and shape (None: at least 1), all finite and in [low, high].

        Raises:
            BadBundle: it is not so.
        """
        array = self.arrays.get(name)
        if array is None:
            raise self.bad(name, "is missing")
        if array.dtype != np.dtype(dtype):
            raise self.bad(name, f"is not of type {np.dtype(dtype)}")
        if array.ndim != len(shape) or any(_differs(*pair) for pair in zip(array.shape, shape, strict=True)):
            raise self.bad(name, f"has the wrong shape {array.shape}")
        if not ((array >= low) & (array <= high)).all():  # false for NaN as well
            raise self.bad(name, "holds values out of range")
        return np.array(array, order="C")

    def bad(self, name: str, why: str) -> BadBundle:
        """Make the error that says what is wrong with one array."""
        return BadBundle(f"The model file is damaged or was changed: array {name} of {self.algorithm} {why}.")


def _differs(size: int, wanted: int | None) -> bool:
    return size < 1 if wanted is None else size != wanted
