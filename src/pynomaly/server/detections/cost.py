"""What a detection took: seconds and memory of its whole run, from those of its phases."""

from collections.abc import Mapping
from typing import Any


def of(metrics: Mapping[str, Any]) -> tuple[float, float | None]:
    """Add the phases' seconds up, and take the highest peak in MiB (None: not measured).

    >>> read, fit = {"seconds": 0.5, "peak_mib": 80.0}, {"seconds": 1.0, "peak_mib": None}
    >>> of({"phases": {"read": read, "fit": fit}})
    (1.5, 80.0)
    """
    phases = (metrics.get("phases") or {}).values()
    peaks = [phase["peak_mib"] for phase in phases if phase["peak_mib"] is not None]
    return round(sum((phase["seconds"] for phase in phases), 0.0), 6), max(peaks, default=None)
