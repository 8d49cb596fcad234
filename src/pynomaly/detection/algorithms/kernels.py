"""How number-crunching kernels are compiled and cached.

`python -m pynomaly.detection.algorithms.warm` compiles all kernels beforehand. Compiled code is kept beside
the source when that is writable, else in the user's cache folder (or NUMBA_CACHE_DIR); where none is
writable, each process compiles for itself.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]
Codes = NDArray[np.int32]
Places = NDArray[np.uint32]
Words = NDArray[np.uint64]
F = TypeVar("F", bound=Callable[..., object])


def kernel(function: F) -> F:
    """Compile a function at its first call: cached, and releasing the interpreter lock.

    Kernels must not use `fastmath`: a row's score has the same bits in a block of any size. A cached kernel
    is renewed when its own file changes only, so kernels call no kernel of another file.
    """
    return _compiled(function, njit(nogil=True))


def rough_kernel(function: F) -> F:
    """Compile a function whose rounding shows in no score: sums may be taken in any order."""
    return _compiled(function, njit(nogil=True, fastmath={"contract", "reassoc"}))


def _compiled(function: F, compiler: Callable[[F], Any]) -> F:
    dispatcher = compiler(function)
    try:
        dispatcher.enable_caching()
    except RuntimeError:  # no folder to write to
        return cast(F, dispatcher)
    return cast(F, dispatcher)
