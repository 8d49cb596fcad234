"""Whether model files that hold objects of PyOD may be read here: not unless somebody said so."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SAID: ContextVar[bool] = ContextVar("skops_allowed", default=False)


@contextmanager
def allowing_skops(allowed: bool = True) -> Iterator[None]:
    """Allow, or refuse, objects stored by skops while the body runs, in this thread."""
    token = _SAID.set(allowed)
    try:
        yield
    finally:
        _SAID.reset(token)


def skops_allowed() -> bool:
    """Tell whether they are allowed.

    >>> skops_allowed()
    False
    >>> with allowing_skops():
    ...     skops_allowed()
    True
    """
    return _SAID.get()
