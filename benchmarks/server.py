"""The whole path over HTTP (upload, train, detect, result page), small and large; and GETs meanwhile."""

import argparse
import statistics
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
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


def gets_meanwhile(server: Running, path: Path) -> dict[str, object]:
    """Run the large path while 10 clients make simple GETs; return their latency in ms."""
    stop, latencies = threading.Event(), []

    def client() -> None:
        with httpx.Client(base_url=server.url, headers=server.client.headers, timeout=30) as http:
            while not stop.is_set():
                start = time.perf_counter()
                http.get("/api/v1/datasets").raise_for_status()
                latencies.append(1000 * (time.perf_counter() - start))
                stop.wait(0.05)

    with ThreadPoolExecutor(10) as pool:
        clients = [pool.submit(client) for _ in range(10)]
        try:
            whole_path(server, path)
        finally:
            stop.set()
        for done in clients:
            done.result()
    return {
        "requests": len(latencies),
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
            report("simple GETs while jobs run, 10 clients", [gets_meanwhile(server, path)])


if __name__ == "__main__":
    main()
