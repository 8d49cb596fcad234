"""Server time, size and load of every page on a full store, with a result of 1,000,000 rows."""

import argparse
import re
import statistics
import sys
import time
from pathlib import Path

import httpx
import loads
from measure import percentile, report
from running import EMAIL, PASSWORD, Running, running
from store import Full, fill

TARGET_MS, TARGET_KB = 100, 200


def addresses(full: Full) -> dict[str, str]:
    """Name every page that shows what is stored."""
    result, compared = f"/detections/{full.result}", "&".join(f"id={one}" for one in full.small_results)
    return {
        "dashboard": "/",
        "datasets": "/datasets",
        "datasets, searched": "/datasets?q=77",
        "upload": "/datasets/new",
        "dataset": f"/datasets/{full.dataset}",
        "rows": f"/datasets/{full.dataset}/rows",
        "detect": f"/detections/new?dataset={full.dataset}",
        "history": "/detections",
        "history, filtered": "/detections?status=completed&sort=-n_anomalies",
        "result of 1M rows": result,
        "result, by row": f"{result}?sort=row",
        "compare": f"/detections/compare?{compared}",
        "triage": "/triage",
        "triage of 1M rows": f"/triage/{full.result}",
        "detectors": "/detectors",
        "detector": f"/detectors/{full.detector}",
        "jobs": "/jobs",
        "account": "/account",
        "jobs, completed": "/jobs?status=completed",
        "administration": "/admin",
        "users": "/admin/users",
        "audit log": "/admin/audit",
        "settings": "/admin/settings",
    }


def browser(server: Running) -> httpx.Client:
    """Log in as a browser does."""
    client = httpx.Client(
        base_url=server.url, headers={"Accept": "text/html", "Origin": server.url}, timeout=60
    )
    client.post(
        "/login", data={"email": EMAIL, "password": PASSWORD}, follow_redirects=True
    ).raise_for_status()
    return client


def measure(client: httpx.Client, name: str, address: str, times: int) -> dict[str, object]:
    """Ask for a page again and again over one connection; sizes as sent, compressed."""
    latencies = []
    led = client.get(address)
    address = led.headers["location"] if led.is_redirect else address  # triage leads to the first row
    for turn in range(times + 3):
        start = time.perf_counter()
        with client.stream("GET", address) as answer:
            size = sum(len(part) for part in answer.iter_raw())
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answers {answer.status_code}")
        if turn >= 3:  # warm
            latencies.append(1000 * (time.perf_counter() - start))
    p95 = percentile(latencies, 0.95)
    return {
        "page": name,
        "p50 ms": statistics.median(latencies),
        "p95 ms": p95,
        "kB sent": size / 1000,
        f"{TARGET_MS} ms": "PASS" if p95 < TARGET_MS else "short",
        f"{TARGET_KB} kB": "PASS" if size < TARGET_KB * 1000 else "short",
    }


def main() -> int:
    """Fill a store, then measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--times", type=int, default=60)
    arguments.add_argument("--only", default="", help="measure only pages whose name matches")
    options = arguments.parse_args()
    with running() as server:
        full = fill(server, Path(server.home), options.rows)
        client = browser(server)
        wanted = {name: to for name, to in addresses(full).items() if re.search(options.only, name)}
        table = [measure(client, name, to, options.times) for name, to in wanted.items()]
        report("pages on a full store, one connection", table)
        with loads.chromium() as chromium:
            state = loads.log_in(chromium, server.url, EMAIL, PASSWORD)
            table = [loads.load(chromium, server.url, state, name, to) for name, to in wanted.items()]
        report(f"first loads, empty cache, CPU {loads.SLOWER} times slower", table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
