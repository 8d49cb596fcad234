"""No request waits for kernels: a job's child has them from its first row on; no process compiles them."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pynomaly.detection.algorithms.warm import warm_up
from pynomaly.detection.catalogue import CATALOGUE, DEFAULT
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.run import Run
from pynomaly.server.tasks import TASKS
from pynomaly.server.work import to_load

HERE = str(Path(__file__).parent)
OWN = [name for name, info in CATALOGUE.items() if info.extra is None]

COMPILED = """
import gc, sys, numpy as np, pynomaly
from numba.core.dispatcher import Dispatcher
rng = np.random.default_rng(0)
columns = {f"x{j}": rng.normal(size=300).tolist() for j in range(4)}
for spelled in sys.argv[1:]:
    name, _, clean = spelled.partition(" ")
    detector = pynomaly.Detector(name, **({"clean_training": True} if clean else {})).fit(columns)
    pynomaly.Detector.from_bytes(detector.to_bytes(b"k" * 32), b"k" * 32).detect(columns).top(20)
kernels = [thing for thing in gc.get_objects() if isinstance(thing, Dispatcher)]
print(sum(sum(kernel.stats.cache_hits.values()) for kernel in kernels))
print(*[kernel.py_func.__qualname__ for kernel in kernels if kernel.stats.cache_misses])
"""


@pytest.fixture
def fresh(unmeasured: dict[str, str]) -> Iterator[Forkserver]:
    """A warm process that has just started."""
    forkserver = Forkserver(to_load(TASKS), {**unmeasured, "PYTHONPATH": HERE})
    forkserver.start()
    yield forkserver
    forkserver.close()


def seconds(forkserver: Forkserver, folder: Path, **payload: Any) -> list[float]:
    outcome = Run(forkserver, 2048, 120)("timed_jobs:requests", payload, folder)
    assert outcome.kind == "done", outcome
    return list(outcome.result["seconds"])


@pytest.mark.parametrize("clean", [False, True])
def test_a_first_request_takes_no_longer_than_later_ones(
    fresh: Forkserver, tmp_path: Path, clean: bool
) -> None:
    payload = {"algorithm": DEFAULT, "parameters": {"clean_training": clean}, "rows": 6000, "times": 3}
    runs = [seconds(fresh, tmp_path, **payload) for _ in range(2)]
    first, later = min(run[0] for run in runs), min(s for run in runs for s in run[1:])
    assert first < 1.5 * later, runs


def compiled(environment: dict[str, str], *spelled: str) -> tuple[int, list[str]]:
    """Count the kernels that a new process took from the cache, and name those that it compiled."""
    done = subprocess.run(
        [sys.executable, "-c", COMPILED, *spelled],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    hits, names = done.stdout.split("\n")[:2]
    return int(hits), names.split()


def test_a_new_process_compiles_nothing(unmeasured: dict[str, str]) -> None:
    warm_up(OWN)  # as the set-up and the image build do
    hits, names = compiled(unmeasured, *OWN, f"{DEFAULT} clean")
    assert hits > 30
    assert names == []


def test_a_cold_cache_is_seen(tmp_path: Path, unmeasured: dict[str, str]) -> None:
    hits, names = compiled(unmeasured | {"NUMBA_CACHE_DIR": str(tmp_path)}, "robust_z")
    assert (hits, len(names) > 0) == (0, True)
