"""How much memory a piece of work needs at its highest, beyond what the process held before."""

import ctypes
import gc
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
FORGET_PEAK = "5"
"""What Linux takes in `clear_refs` to forget the highest resident memory so far."""


def growth(work: Callable[[], T]) -> tuple[T, float, float | None]:
    """Do the work; gives its result, its seconds, and the most MiB it had resident beyond those before.

    The whole process is measured, so that buffers of BLAS and compiled kernels count, and so does what other
    threads do meanwhile. None where the system does not tell: everywhere but on Linux. Afterwards the
    process's highest memory (`phases.peak_mib`) counts from here.
    """
    gc.collect()
    _return_freed()
    before = _resident("VmRSS") if _forget_peak() else None
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    highest = None if before is None else _resident("VmHWM")
    if before is None or highest is None:
        return result, seconds, None
    return result, seconds, max(0.0, highest - before)


def _return_freed() -> None:
    """Give freed memory back to the system, so that it counts when it is used again (glibc only)."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> bool:
    try:
        _RESET.write_text(FORGET_PEAK)
    except OSError:
        return False
    return True


def _resident(field: str) -> float | None:
    """Read one line of the process's status, in MiB."""
    with suppress(OSError, ValueError, IndexError):
        for line in _STATUS.read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) / 1024
    return None
