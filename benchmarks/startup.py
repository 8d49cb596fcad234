"""Start-up times and idle memory, each beside the target that the product promises."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from measure import descendants, median_seconds, pss_mib, report
from running import COMMAND, running


def commands(folder: Path) -> list[dict[str, object]]:
    """Time imports and commands as whole processes."""
    table = folder / "thousand.csv"
    code = f"from pynomaly import samples; samples.write_csv('payments', {str(table)!r}, n=1000)"
    subprocess.run([sys.executable, "-c", code], check=True)
    bare = median_seconds([sys.executable, "-c", "pass"])
    imported = median_seconds([sys.executable, "-c", "import pynomaly"]) - bare
    return [
        {"what": "import pynomaly (less a bare interpreter)", "seconds": imported, "target": 0.15},
        {"what": "pynomaly --help", "seconds": median_seconds([COMMAND, "--help"]), "target": 0.4},
        {
            "what": "pynomaly detect, 1,000-row CSV",
            "seconds": median_seconds([COMMAND, "detect", str(table)]),
            "target": 1.5,
        },
    ]


def server() -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Time the server's start three times; read the memory of the last one after a while of idling."""
    times = []
    for attempt in range(3):
        with running() as server:
            times.append(server.ready_seconds)
            if attempt == 2:
                memory = _idle_memory(server.process.pid)
    return [{"what": "server ready", "seconds": sorted(times)[1], "target": 2.0}], memory


def _idle_memory(pid: int) -> list[dict[str, object]]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and len(descendants(pid)) < 3:
        time.sleep(0.1)
    time.sleep(4)
    workers = [process.pid for process in descendants(pid) if process.status() != psutil.STATUS_ZOMBIE]
    return [
        {"process": "API", "pss_mib": pss_mib([pid]), "target": 120, "processes": 1},
        {
            "process": "worker and forkserver",
            "pss_mib": pss_mib(workers),
            "target": 350,
            "processes": len(workers),
        },
    ]


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder:
        times = commands(Path(folder))
    ready, memory = server()
    report("start-up", times + ready)
    report("idle memory", memory)


if __name__ == "__main__":
    main()
