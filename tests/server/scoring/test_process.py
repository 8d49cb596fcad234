"""The scoring process itself: its memory, its models, its end, and what the API process never loads."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pynomaly.errors import BadBundle, PynomalyError, ScoringFailed
from pynomaly.library import Detector
from pynomaly.server.scoring import cache
from pynomaly.server.scoring.cache import Models
from pynomaly.server.scoring.scorer import Scorer
from pynomaly.settings import Settings

KEY = b"k" * 32
GREEDY = """
from pynomaly.server.scoring import process
process.score = lambda task, models: {"took": len(bytearray(task["mib"] * 2**20))}
process.main()
"""


def ask(scorer: Scorer, task: bytes) -> Any:
    return asyncio.run(scorer.ask(task))


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A task that needs more than is allowed fails alone: the process goes on."""
    scorer = Scorer(Settings(home=tmp_path, scoring_memory_mib=256), [sys.executable, "-c", GREEDY])
    try:
        assert ask(scorer, b'{"mib": 16}') == {"took": 16 * 2**20}
        first = scorer.pid
        with pytest.raises(ScoringFailed, match="more memory"):
            ask(scorer, b'{"mib": 4096}')
        assert ask(scorer, b'{"mib": 16}') == {"took": 16 * 2**20}
        assert scorer.pid == first
        with pytest.raises(PynomalyError) as found:
            ask(scorer, b"{}")
        assert found.value.status == 500
    finally:
        scorer.close()
    assert scorer.pid is None


def test_a_process_that_cannot_start(tmp_path: Path) -> None:
    """503, as often as it is tried."""
    scorer = Scorer(Settings(home=tmp_path), [sys.executable, "-c", "import os; os._exit(3)"])
    for _ in range(2):
        with pytest.raises(ScoringFailed):
            ask(scorer, b"{}")
    scorer.close()


def test_it_ends_with_the_server(tmp_path: Path) -> None:
    """However that ends."""
    script = (
        "import sys, time; from pathlib import Path; from pynomaly.settings import Settings\n"
        "from pynomaly.server.scoring.scorer import Scorer\n"
        f"scorer = Scorer(Settings(home=Path({str(tmp_path)!r}))); scorer._submit(b'{{}}')\n"
        "while scorer.pid is None: time.sleep(0.01)\n"
        "print(scorer.pid, flush=True); time.sleep(60)"
    )
    server = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert server.stdout is not None
    pid = int(server.stdout.readline())
    os.kill(pid, 0)
    server.send_signal(signal.SIGKILL)
    server.wait()
    server.stdout.close()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three signed models of about the same size."""
    made = []
    for seed in range(3):
        rows = [[float(i % (7 + seed)), float(i % 5)] for i in range(80)]
        made.append(tmp_path / f"{seed}.pynomaly")
        made[-1].write_bytes(Detector("hbos").fit(rows).to_bytes(KEY))
    return made


def test_models_used_last_stay(files: list[Path]) -> None:
    """As many as the bytes allow; one is always kept."""
    size = max(path.stat().st_size for path in files)
    models = Models(KEY, 2 * size)
    a, b, c = files
    first = models.get("a", a)
    models.get("b", b)
    assert models.get("a", a) is first
    models.get("c", c)
    assert models.ids == ["a", "c"]
    small = Models(KEY, 1)
    for name, path in (("a", a), ("b", b)):
        small.get(name, path)
        assert small.ids == [name]
    small.clear()
    assert small.ids == []


def test_each_is_read_once(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes while it is read waits for the same; a failure is told to all, and forgotten."""
    read: list[bytes] = []
    gate = threading.Event()
    original = cache.Model.from_bytes

    def slowly(data: bytes, *rest: Any, **more: Any) -> Any:
        read.append(data)
        gate.wait(10)
        return original(data, *rest, **more)

    monkeypatch.setattr(cache.Model, "from_bytes", slowly)
    models = Models(KEY, 10**9)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(models.get, "a", files[0]) for _ in range(4)]
        gate.set()
        found = {id(one.result()) for one in asked}
    assert (len(found), len(read)) == (1, 1)
    files[1].write_bytes(files[1].read_bytes()[:-1] + b"?")
    for _ in range(2):
        with pytest.raises(BadBundle):
            models.get("b", files[1])
    files[2].write_bytes(Detector("hbos").fit([[float(i), 1.0 * i % 3] for i in range(30)]).to_bytes())
    with pytest.raises(BadBundle, match="sign"):
        models.get("c", files[2])
    assert models.ids == ["a"]


def test_a_threshold_is_moved_without_reading_again(files: list[Path]) -> None:
    """Each request has the threshold that it asks for."""
    loaded = Models(KEY, 10**9).get("a", files[0])
    auto = {"contamination": "auto", "max_alerts": None, "fdr": None, "quantile": None}
    assert loaded.with_threshold({"value": 2.5}).threshold == 2.5
    assert loaded.with_threshold(auto).threshold != 2.5
    assert loaded.with_threshold({"value": 2.5}).threshold == 2.5
