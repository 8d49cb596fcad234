"""The page of a result with a million rows: how long each way to filter, sort and draw takes, and bytes sent.

`python benchmarks/result_page.py [--rows 1000000] [--repeat 20]` starts a server of its own.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from measure import percentile, report
from running import EMAIL, PASSWORD, Running, running

from server import write_csv

WHERE = json.dumps([["x1", "ge", "-1"]])
WAYS: dict[str, dict[str, Any]] = {
    "as it opens": {},
    "page 1,000": {"page": 1000},
    "anomalies only": {"only": "anomalies"},
    "score from 1": {"score_from": 1},
    "sorted by row": {"sort": "-row"},
    "sorted by a column": {"sort": "-column:x1"},
    "a column's range": {"where": WHERE},
    "range of the anomalies": {"where": WHERE, "only": "anomalies"},
    "range, other sort": {"where": WHERE, "only": "normal", "sort": "column:x2"},
    "by reason": {"reason": "x3"},
    "as a table": {"layout": "table"},
    "two columns drawn": {"chart": "columns"},
    "a threshold on trial": {"max_alerts": 5000},
}


def log_in(server: Running) -> httpx.Client:
    """Log in as a browser does: pages are for cookies."""
    headers = {"Accept": "text/html", "Origin": server.url.rstrip("/")}
    client = httpx.Client(base_url=server.url, headers=headers, timeout=60)
    client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    return client


def measured(
    client: httpx.Client, address: str, name: str, query: dict[str, Any], repeat: int
) -> dict[str, Any]:
    """Open the page again and again, and say how long it took: the first time, and after."""
    seconds, sent = [], 0
    for _ in range(repeat):
        start = time.perf_counter()
        answer = client.get(address, params=query)
        seconds.append(time.perf_counter() - start)
        answer.raise_for_status()
        sent = answer.num_bytes_downloaded
    return {
        "what": name,
        "first_ms": seconds[0] * 1000,
        "p50_ms": statistics.median(seconds) * 1000,
        "p95_ms": percentile(seconds, 0.95) * 1000,
        "sent_kb": sent / 1000,
    }


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running() as server:
        path = Path(folder) / "many.csv"
        write_csv(path, asked.rows)
        with path.open("rb") as file:
            dataset = server.post("/datasets/upload", files={"file": (path.name, file, "text/csv")})
        server.finished(f"/datasets/{dataset['id']}", ("processing",))
        body = {"dataset_id": dataset["id"], "algorithm": "isolation_forest"}
        begun = server.post("/detection/detect", json=body)
        server.finished(f"/detection/results/{begun['id']}", ("queued", "running"))
        client, address = log_in(server), f"/detections/{begun['id']}"
        lines = [measured(client, address, *way, asked.repeat) for way in WAYS.items()]
        client.close()
    report(f"the page of a result of {asked.rows:,} rows", lines)


if __name__ == "__main__":
    main()
