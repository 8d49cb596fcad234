"""Runs work on row blocks or columns in Python threads (never OpenMP's, which do not survive a fork)."""

import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar

from threadpoolctl import ThreadpoolController

from pynomaly.errors import UsageError

WORTH_THREADS = 50_000
"""With fewer rows, columns are done before threads would have started."""

T = TypeVar("T")
R = TypeVar("R")

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Where a Linux container says how much of the CPUs it may use."""

WORTH_BLAS_THREADS = 300
"""Fewer columns are multiplied before threads would have started, which wait long when the CPUs are busy."""

WITH_POOLS = frozenset({"scipy.linalg", "sklearn", "torch", "tensorflow"})
"""Modules that bring thread pools of their own, besides numpy."""

_limit: list[int] = []
_here = threading.local()


def thread_count() -> int:
    """Give how many threads may be used: what `limit_threads` set, else the CPUs that this process may use.

    It is 1 in a thread of `workers`: what is done in parallel does its own parts one after the other.
    """
    if getattr(_here, "is_worker", False):
        return 1
    return _limit[0] if _limit else available_cpus()


@cache
def available_cpus() -> int:
    """Count the CPUs that this process may use, by its affinity and its container's quota."""
    affinity = getattr(os, "sched_getaffinity", None)
    count = len(affinity(0)) if affinity else os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text().split()
        return max(1, min(count, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # there is none ("max")
        return count


def workers(count: int) -> ThreadPoolExecutor:
    """Make a pool of threads that start no others."""
    return ThreadPoolExecutor(count, initializer=_be_worker)


def _be_worker() -> None:
    _here.is_worker = True


def limit_threads(count: int | None) -> None:
    """Use at most `count` threads in this process; None: as many as there are CPUs."""
    if count is not None and count < 1:
        raise UsageError(f"The number of threads is at least 1, not {count}.")
    _limit[:] = [] if count is None else [count]


@contextmanager
def few_blas_threads(columns: int) -> Iterator[None]:
    """Let linear algebra of so many columns use one thread, of very many as many as `thread_count` says.

    It holds for the whole process. In other threads than the main one it does nothing: OpenBLAS does not
    let them set the number.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    count = 1 if columns < WORTH_BLAS_THREADS else thread_count()
    pools = _pools(frozenset(WITH_POOLS & sys.modules.keys()))
    with pools.limit(limits={"blas": count, "openmp": thread_count()}):
        yield


@cache
def _pools(_: frozenset[str]) -> ThreadpoolController:
    """Find the thread pools of the libraries that are loaded; that takes about a millisecond."""
    return ThreadpoolController()


def map_columns(work: Callable[[T], R], columns: Iterable[T], rows: int) -> list[R]:
    """Call `work` with each column of so many rows and list what it gives, in order."""
    if rows < WORTH_THREADS or thread_count() == 1:
        return [work(column) for column in columns]
    with workers(thread_count()) as pool:
        return list(pool.map(work, columns))


def run_blocks(
    work: Callable[[int, int], None],
    n: int,
    size: int,
    progress: Callable[[float], None] | None = None,
    start: float = 0.0,
    threads: int | None = None,
) -> None:
    """Call `work(begin, end)` for blocks of at most `size` of `n` items; `progress` goes from `start` to 1.

    The first error stops the blocks that have not begun, and is raised.
    """
    blocks = [(begin, min(n, begin + size)) for begin in range(0, n, size)]
    threads = min(threads or thread_count(), len(blocks))
    if threads <= 1:
        for begin, end in blocks:
            work(begin, end)
            if progress:
                progress(start + (1 - start) * end / n)
        return
    with workers(threads) as pool:
        futures = [pool.submit(work, begin, end) for begin, end in blocks]
        try:
            for future, (_, end) in zip(futures, blocks, strict=True):
                future.result()
                if progress:
                    progress(start + (1 - start) * end / n)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def map_blocks(work: Callable[[int, int], R], n: int, size: int) -> list[R]:
    """Call `work(begin, end)` for blocks of at most `size` of `n` items and list what it gives, in order."""
    found: dict[int, R] = {}

    def keep(begin: int, end: int) -> None:
        found[begin] = work(begin, end)

    run_blocks(keep, n, size)
    return [found[begin] for begin in sorted(found)]
