"""Pynomaly finds the unusual rows in a table, and says why each is unusual.

>>> import pynomaly
>>> result = pynomaly.detect([[1.0, 2.0], [1.1, 2.1], [0.9, 1.9], [1.0, 2.2], [9.0, -9.0]])
>>> result.top(1)[0].row
4
"""

from typing import TYPE_CHECKING, Any

from pynomaly.version import __version__

if TYPE_CHECKING:
    from pynomaly.allowance import limit
    from pynomaly.detection.explain import Reason
    from pynomaly.errors import PynomalyError
    from pynomaly.evaluation import Evaluation, evaluate
    from pynomaly.library import Detector, detect, load
    from pynomaly.results import Anomaly, Result

__all__ = [
    "Anomaly",
    "Detector",
    "Evaluation",
    "PynomalyError",
    "Reason",
    "Result",
    "__version__",
    "detect",
    "evaluate",
    "limit",
    "load",
]

_HOMES = {
    "Anomaly": "pynomaly.results",
    "Detector": "pynomaly.library",
    "Evaluation": "pynomaly.evaluation",
    "PynomalyError": "pynomaly.errors",
    "Reason": "pynomaly.detection.explain",
    "Result": "pynomaly.results",
    "detect": "pynomaly.library",
    "evaluate": "pynomaly.evaluation",
    "limit": "pynomaly.allowance",
    "load": "pynomaly.library",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import pynomaly` alone loads no numeric library."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
