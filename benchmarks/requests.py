"""What a request costs: an authenticated GET beside a bare route, one row scored, log-ins beside GETs.

The two servers take turns under wrk, so that a busy machine slows both. Needs wrk (Debian has a package).
"""

import argparse
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import numpy as np
from measure import percentile, report
from running import EMAIL, Running, free_port, running

CONNECTIONS = (1, 10, 50, 200)
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class Load:
    """What wrk saw."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    errors: int


def wrk(url: str, connections: int, seconds: int, token: str = "") -> Load:
    """Ask for `url` over so many connections without a pause."""
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
    if token:
        command += ["-H", f"Authorization: {token}"]
    told = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    latency = {
        share: float(value) * UNITS[unit]
        for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)", told)
    }
    socket_errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", told)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    errors = sum(map(int, socket_errors.groups())) if socket_errors else 0
    errors += int(refused[1]) if refused else 0
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    if rate is None:
        raise RuntimeError(told)
    return Load(float(rate[1]), latency["50"], latency["99"], errors)


@contextmanager
def bare() -> Iterator[str]:
    """Serve the bare route; gives its address."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "benchmarks/bare.py", str(port), folder]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}/items/1"
        try:
            for _ in range(400):
                try:
                    httpx.get(url).raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(0.05)
            yield url
        finally:
            process.kill()
            process.wait(20)


def beside(server: Running, url: str, path: str, seconds: int, rounds: int) -> Iterator[dict[str, object]]:
    """Measure a GET of ours beside the bare one, by turns, at each number of connections."""
    token = server.client.headers["Authorization"]
    ours_url = f"{server.url}/api/v1{path}"
    for address, known in ((url, ""), (ours_url, token)):
        wrk(address, 10, 2, known)  # warm
    for connections in CONNECTIONS:
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(wrk(url, connections, seconds))
            ours.append(wrk(ours_url, connections, seconds, token))
        p50, p99 = (
            statistics.median(getattr(a, name) / getattr(b, name) for a, b in zip(ours, theirs, strict=True))
            for name in ("p50_ms", "p99_ms")
        )
        yield {
            "GET": path,
            "connections": connections,
            "bare requests/s": statistics.median(one.requests_per_second for one in theirs),
            "ours requests/s": statistics.median(one.requests_per_second for one in ours),
            "bare p50 ms": statistics.median(one.p50_ms for one in theirs),
            "ours p50 ms": statistics.median(one.p50_ms for one in ours),
            "p50 ratio": p50,
            "bare p99 ms": statistics.median(one.p99_ms for one in theirs),
            "ours p99 ms": statistics.median(one.p99_ms for one in ours),
            "p99 ratio": p99,
            "errors": sum(one.errors for one in ours),
            "targets 2x, 3x": "PASS" if p50 <= 2 and p99 <= 3 else "short",
        }


def make_detector(server: Running) -> tuple[str, dict[str, float]]:
    """Train a forest on 10,000 x 10; returns its id and one row."""
    values = np.random.default_rng(0).normal(size=(10_000, 10))
    names = [f"x{i}" for i in range(10)]
    text = "\n".join([",".join(names), *(",".join(f"{v:.6f}" for v in row) for row in values)])
    dataset = server.post("/datasets/upload", files={"file": ("t.csv", text.encode(), "text/csv")})
    server.finished(f"/datasets/{dataset['id']}", ("processing",))
    detector = server.post("/detectors", json={"name": "bench", "algorithm": "isolation_forest"})
    server.post(f"/detectors/{detector['id']}/train", json={"dataset_id": dataset["id"]})
    server.finished(f"/detectors/{detector['id']}", ("untrained", "training"))
    return detector["id"], dict(zip(names, map(float, values[0]), strict=True))


def scoring(server: Running, times: int) -> list[dict[str, object]]:
    """Score one row, and a thousand, over one connection, again and again."""
    detector, row = make_detector(server)
    found = []
    for n, explain, repeats in ((1, False, times), (1, True, times), (1000, False, times // 10)):
        body = {"detector_id": detector, "rows": [row] * n, "explain": explain}
        latencies = []
        for k in range(repeats + 20):
            start = time.perf_counter()
            server.client.post("/api/v1/detection/score", json=body).raise_for_status()
            if k >= 20:  # warm
                latencies.append(1000 * (time.perf_counter() - start))
        found.append(
            {
                "rows": n,
                "explained": explain,
                "p50 ms": statistics.median(latencies),
                "p95 ms": percentile(latencies, 0.95),
                "p99 ms": percentile(latencies, 0.99),
                "target p95 ms": 15 if n == 1 else None,
            }
        )
    return found


def log_ins(server: Running, seconds: int) -> list[dict[str, object]]:
    """GETs alone, and while 20 clients try wrong passwords, each of which costs an argon2 hash."""
    token, url = server.client.headers["Authorization"], f"{server.url}/api/v1/auth/me"
    stop = threading.Event()
    tried: list[int] = []

    def try_passwords(number: int) -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            k = 0
            while not stop.is_set():
                k += 1
                who = {"email": f"{number}-{k}-{EMAIL}", "password": "wrong password here"}
                tried.append(client.post("/api/v1/auth/login", json=who).status_code)

    alone = wrk(url, 4, seconds, token)
    threads = [threading.Thread(target=try_passwords, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    busy = wrk(url, 4, seconds, token)
    stop.set()
    for thread in threads:
        thread.join()
    rows = (("alone", alone, 0), ("while 20 clients log in", busy, len(tried)))
    return [
        {
            "GETs": name,
            "requests/s": load.requests_per_second,
            "p50 ms": load.p50_ms,
            "p99 ms": load.p99_ms,
            "log-ins": n,
        }
        for name, load, n in rows
    ]


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=int, default=4, help="of each turn")
    arguments.add_argument("--rounds", type=int, default=3, help="turns of each server")
    arguments.add_argument("--steady", type=int, default=60, help="seconds at 200 connections")
    arguments.add_argument("--scores", type=int, default=1000, help="rows scored one by one")
    chosen = arguments.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("This benchmark needs wrk: apt-get install wrk")
    with running() as server, bare() as url:
        detector = server.post("/detectors", json={"name": "one"})
        for path in ("/auth/me", f"/detectors/{detector['id']}"):
            rows = list(beside(server, url, path, chosen.seconds, chosen.rounds))
            report("an authenticated GET beside a bare route", rows)
        steady = wrk(
            f"{server.url}/api/v1/auth/me", 200, chosen.steady, server.client.headers["Authorization"]
        )
        report("200 connections", [{"seconds": chosen.steady, **vars(steady), "target errors": 0}])
        report("POST /detection/score", scoring(server, chosen.scores))
    with running() as server:
        report("argon2 beside GETs", log_ins(server, 10))


if __name__ == "__main__":
    main()
