"""How long each phase of a run takes, and how much memory the process has needed by its end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Phase = dict[str, float | None]


@dataclass
class Phases:
    """Seconds and peak memory by phase; a phase that is entered twice adds up."""

    seconds: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, float | None] = field(default_factory=dict)

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Count the body's time under `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start
            self.peak_mib[name] = peak_mib()

    def including(self, earlier: "Phases") -> "Phases":
        """Give both runs' phases as one run's."""
        seconds = {**earlier.seconds}
        for name, spent in self.seconds.items():
            seconds[name] = seconds.get(name, 0.0) + spent
        return Phases(seconds, earlier.peak_mib | self.peak_mib)

    @property
    def total(self) -> float:
        """Seconds of all phases together."""
        return sum(self.seconds.values())

    def json(self) -> dict[str, Phase]:
        """Give `{phase: {seconds, peak_mib}}`; `peak_mib` is the process's highest use by the phase's end."""
        return {
            name: {"seconds": round(spent, 6), "peak_mib": self.peak_mib[name]}
            for name, spent in self.seconds.items()
        }


def peak_mib() -> float | None:
    """Highest resident memory of this process so far, in MiB; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)
