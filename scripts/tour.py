"""What there is to see: data on a running server, and the address of every page that shows it.

For the screenshots, for what is checked on every page, and for the journeys' data: made through the API, in
seconds.
"""

import csv
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from live import Server

from pynomaly.client import Client

ROWS, ODD = 400, (50, 150, 250, 251, 252)


@dataclass(frozen=True)
class Stop:
    """A page: what its picture is called, and where it is."""

    name: str
    address: str


def payments(path: Path) -> Path:
    """Write 400 payments with times and labels; five are absurd, and two cells cannot be read."""
    source, begin = random.Random(7), datetime(2026, 1, 1, tzinfo=UTC)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["paid_at", "amount", "age", "shop", "is_fraud"])
        for row in range(ROWS):
            odd = row in ODD
            amount = 9_000 + row if odd else round(source.gauss(50, 9), 2)
            age = 96 if odd else round(source.gauss(40, 6), 1)
            when = (begin + timedelta(hours=3 * row)).isoformat(timespec="seconds")
            shop = source.choice(["books", "food", "shoes"])
            writer.writerow([when, "n/a??" if row in (39, 399) else amount, age, shop, int(odd)])
    return path


def empty_pages() -> list[Stop]:
    """Pages of an installation without data."""
    return [
        Stop("empty-dashboard", "/"),
        Stop("empty-datasets", "/datasets"),
        Stop("empty-history", "/detections"),
        Stop("empty-triage", "/triage"),
        Stop("empty-detectors", "/detectors"),
        Stop("empty-jobs", "/jobs"),
        Stop("empty-choose", "/detections/new"),
    ]


def furnish(server: Server, folder: Path, name: str = "Card payments") -> list[Stop]:
    """Upload, train, detect, judge and share; returns the pages that show it."""
    client = Client(server.url, email=server.email, password=server.password)
    with client:
        dataset = client.datasets.upload(
            payments(folder / "payments.csv"), name=name, label_column="is_fraud"
        )
        noise = folder / "noise.csv"
        noise.write_bytes(bytes(range(256)) * 40)
        broken = client.datasets.upload(noise, name=f"Broken {name}"[:200], wait=False)
        detector = client.detectors.create(name=f"{name} detector"[:200], algorithm="isolation_forest")
        for seed in (0, 1):
            client.detectors.update(detector, seed=seed)
            client.detectors.train(detector, dataset)
        results = [client.detections.detect(dataset), client.detections.detect(dataset, detector)]
        results.append(client.detections.detect(dataset, algorithm="hbos", contamination=0.02))
        client.detections.feedback(results[0], {50: "anomaly", 150: "normal"})
        flagged = [row.row for row in client.detections.rows(results[2]) if row.is_anomaly]
        client.detections.feedback(results[2], dict.fromkeys(flagged, "anomaly"))
        key = client.api_keys.create(f"{name} key"[:100], ["datasets:read"])
        user = client.users.create("colleague@example.org", "a-long-enough-passphrase", name=name[:200])
        kept = f"To import: {name}"[:200]
        waiting = client.datasets.upload(folder / "payments.csv", name=kept, preview=True)
        client.datasets.share(dataset, everyone=True)
        job = next(iter(client.jobs.list()))
    table, detectors, result = (f"/datasets/{dataset.id}", f"/detectors/{detector.id}", "/detections/")
    compared = "&".join(f"id={one.id}" for one in results)
    pages = {
        "dashboard": "/",
        "upload": "/datasets/new",
        "datasets": "/datasets",
        "dataset": table,
        "dataset-rows": f"{table}/rows",
        "dataset-report": f"{table}/report",
        "dataset-uses": f"{table}/uses",
        "dataset-sharing": f"{table}/sharing",
        "dataset-edit": f"{table}/edit",
        "dataset-delete": f"{table}/delete",
        "dataset-failed": f"/datasets/{broken.id}",
        "import": f"/datasets/{waiting.id}/import",
        "import-failed": f"/datasets/{broken.id}/import",
        "choose": "/detections/new",
        "detect": f"/detections/new?dataset={dataset.id}",
        "detect-open": f"/detections/new?dataset={dataset.id}&algorithm=knn",
        "detect-again": f"/detections/new?dataset={dataset.id}&detector={detector.id}",
        "history": "/detections",
        "compare": f"/detections/compare?{compared}",
        "result": f"{result}{results[0].id}",
        "result-by-row": f"{result}{results[0].id}?sort=row",
        "result-columns": f"{result}{results[0].id}?chart=columns&x=amount&y=age",
        "result-time": f"{result}{results[0].id}?chart=time",
        "result-labels": f"{result}{results[0].id}?chart=labels",
        "result-trial": f"{result}{results[0].id}?max_alerts=3",
        "result-table": f"{result}{results[0].id}?layout=table&only=anomalies",
        "result-none": f"{result}{results[0].id}?score_from=99",
        "triage": "/triage",
        "triage-row": f"/triage/{results[1].id}",
        "triage-judged": f"/triage/{results[0].id}?row=50",
        "triage-done": f"/triage/{results[2].id}",
        "detectors": "/detectors",
        "detector": detectors,
        "detector-compare": f"{detectors}/compare?before=1&after=2",
        "detector-activate": f"{detectors}/versions/1/activate",
        "detector-rollback": f"{detectors}/rollback",
        "detector-share": f"{detectors}/share",
        "detector-delete": f"{detectors}/delete",
        "detector-edit": f"{detectors}/edit",
        "detector-new": "/detectors/new",
        "detector-import": "/detectors/import",
        "jobs": "/jobs",
        "job": f"/jobs/{job.id}",
        "account": "/account",
        "key-new": "/account/keys/new",
        "key-replace": f"/account/keys/{key.id}/rotate",
        "admin": "/admin",
        "admin-users": "/admin/users",
        "admin-user": f"/admin/users/{user.id}",
        "admin-user-new": "/admin/users/new",
        "admin-audit": "/admin/audit",
        "admin-settings": "/admin/settings",
        "not-found": "/nowhere",
    }
    return [Stop(name, address) for name, address in pages.items()]
