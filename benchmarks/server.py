"""The whole path over HTTP (upload, train, detect, result page), small and large; and GETs meanwhile."""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from measure import descendants, percentile, pss_mib, report
from running import Running, running

COLUMNS = 10


def write_csv(path: Path, rows: int) -> None:
    """Write a table of normal numbers, 17 significant digits each, one row in a hundred moved away."""
    import duckdb

    values = np.random.default_rng(0).normal(size=(rows, COLUMNS))
    values[::100] += 4
    frame = {f"x{i}": values[:, i] for i in range(COLUMNS)}
    connection = duckdb.connect()
    connection.register("frame", frame)
    connection.execute(f"COPY (SELECT * FROM frame) TO '{path}' (HEADER)")
    connection.close()


def whole_path(server: Running, path: Path) -> dict[str, float]:
    """Upload, train, detect and fetch the result page; return the seconds of each step."""
    steps: dict[str, float] = {}
    start = last = time.perf_counter()

    def done(step: str) -> None:
        nonlocal last
        steps[step], last = time.perf_counter() - last, time.perf_counter()

    with path.open("rb") as file:
        dataset = server.post("/datasets/upload", files={"file": (path.name, file, "text/csv")})
    server.finished(f"/datasets/{dataset['id']}", ("processing",))
    done("upload")
    detector = server.post("/detectors", json={"name": path.stem, "algorithm": "isolation_forest"})
    server.post(f"/detectors/{detector['id']}/train", json={"dataset_id": dataset["id"]})
    server.finished(f"/detectors/{detector['id']}", ("untrained", "training"))
    done("train")
    begun = server.post(
        "/detection/detect", json={"dataset_id": dataset["id"], "detector_id": detector["id"]}
    )
    result = server.finished(f"/detection/results/{begun['id']}", ("queued", "running"))
    if result["status"] != "completed":
        raise RuntimeError(f"the detection is {result}")
    done("detect")
    server.get(f"/detection/results/{begun['id']}/rows", sort="-score", limit=50)
    done("result page")
    steps["in all"] = time.perf_counter() - start
    return steps


class MemoryWatch(threading.Thread):
    """Samples the memory of the API process and of its largest descendant until stopped."""

    def __init__(self, pid: int) -> None:
        """Watch the server with this process id."""
        super().__init__(daemon=True)
        self.pid, self.api, self.child, self._stop_now = pid, 0.0, 0.0, threading.Event()

    def run(self) -> None:
        """Sample every 50 ms."""
        while not self._stop_now.wait(0.05):
            self.api = max(self.api, pss_mib([self.pid]))
            self.child = max([self.child, *(pss_mib([child.pid]) for child in descendants(self.pid))])

    def stop(self) -> None:
        """End the sampling."""
        self._stop_now.set()
        self.join()


def gets_meanwhile(server: Running, path: Path, get: str) -> dict[str, object]:
    """Run the large path while 10 clients in another process make simple GETs; return their latency in ms."""
    address = server.url.removeprefix("http://")
    token = server.client.headers["Authorization"].removeprefix("Bearer ")
    command = [sys.executable, str(Path(__file__).with_name("clients.py")), address, get, token, "10"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as clients:
        seconds = whole_path(server, path)["in all"]
        latencies = json.loads(clients.communicate("")[0])
    return {
        "GET": get,
        "requests/s": len(latencies) / seconds,
        "p50_ms": statistics.median(latencies),
        "p95_ms": percentile(latencies, 0.95),
        "p99_ms": percentile(latencies, 0.99),
        "target_p95_ms": 50,
    }


def scikit_learn_alone(path: Path) -> float:
    """Time a fresh process that reads the CSV with pandas and runs scikit-learn's forest on it."""
    code = (
        "import sys, pandas as pd; from sklearn.ensemble import IsolationForest as F;"
        "X = pd.read_csv(sys.argv[1]).to_numpy(); F(random_state=0).fit(X).score_samples(X)"
    )
    start = time.perf_counter()
    subprocess.run([".venv/bin/python", "-c", code, str(path)], check=True)
    return time.perf_counter() - start


def measure(rows: int, target: float, folder: Path) -> tuple[dict[str, object], Path]:
    """Measure the whole path at one size on a warm server, beside scikit-learn in a process of its own."""
    path = folder / f"rows{rows}.csv"
    write_csv(path, rows)
    small = folder / "warm.csv"
    write_csv(small, 1000)
    with running() as server:
        whole_path(server, small)
        watch = MemoryWatch(server.process.pid)
        watch.start()
        runs = [whole_path(server, path) for _ in range(3)]
        watch.stop()
    steps = sorted(runs, key=lambda run: run["in all"])[1]
    row: dict[str, object] = {"rows": rows, "csv_mb": path.stat().st_size / 1e6, **steps, "target": target}
    row |= {
        "scikit-learn script": scikit_learn_alone(path),
        "API MiB": watch.api,
        "largest child MiB": watch.child,
    }
    return row, path


def main() -> None:
    """Print both tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, nargs="*", default=[10_000, 1_000_000])
    with tempfile.TemporaryDirectory() as name:
        table = []
        for rows in arguments.parse_args().rows:
            row, path = measure(rows, 2 if rows <= 10_000 else 30, Path(name))
            table.append(row)
        report("over HTTP, seconds", table)
        with running() as server:
            gets = [gets_meanwhile(server, path, f"/api/v1{get}") for get in ("/datasets", "/auth/me")]
            report("simple GETs while jobs run, 10 clients without pause", gets)


if __name__ == "__main__":
    main()
