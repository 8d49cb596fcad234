"""How much memory and how many threads detection may use: the settings, unless `limit` said otherwise."""

import os
from functools import cache

from pynomaly.detection.algorithms.threads import limit_threads, thread_count
from pynomaly.tables import Limits

DATABASE_SHARE = 4
"""One part in so many of the memory is DuckDB's; so much again may be values to train on at once."""

VARIABLES = ("PYNOMALY_MEMORY_MIB", "PYNOMALY_THREADS")
_memory_mib: list[int] = []


def limit(memory_mib: int | None = None, threads: int | None = None) -> None:
    """Bound what detections of this process use from now on.

    `memory_mib` is about what they use in all: a table that is too large for it is trained on by a sample and
    scored in blocks. `threads` bounds the CPUs. What is not given is as the settings say: PYNOMALY_MEMORY_MIB
    (default: 4096) and PYNOMALY_THREADS (default: the CPUs that the process may use). Raises
    ConfigurationError, which names the setting.

    >>> limit(memory_mib=1024, threads=2)
    >>> limits().memory_mib, limits().threads
    (256, 2)
    >>> limit()
    """
    from pynomaly.settings import load  # pydantic takes longer to load than a small table

    settings = load(memory_mib=memory_mib, threads=threads)
    settle.cache_clear()
    settle()
    _memory_mib[:] = [settings.memory_mib]
    limit_threads(settings.threads)


def limits() -> Limits:
    """Give the bounds for reading a table."""
    settle()
    memory_mib = _memory_mib[0] // DATABASE_SHARE if _memory_mib else Limits().memory_mib
    return Limits(memory_mib=memory_mib, threads=thread_count())


@cache
def settle() -> None:
    """Heed the settings, once; nothing is loaded when they are not set."""
    if not any(os.environ.get(name) for name in VARIABLES):
        return
    from pynomaly.settings import load

    settings = load()
    _memory_mib[:] = [settings.memory_mib]
    if settings.threads is not None:
        limit_threads(settings.threads)
