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
        job = next(iter(client.jobs.list()))
    first = f"/detections/{results[0].id}"
    compared = "&".join(f"id={one.id}" for one in results)
    table = f"/datasets/{dataset.id}"
    return [
        Stop("dashboard", "/"),
        Stop("upload", "/datasets/new"),
        Stop("datasets", "/datasets"),
        Stop("dataset", table),
        Stop("dataset-rows", f"{table}/rows"),
        Stop("dataset-report", f"{table}/report"),
        Stop("dataset-failed", f"/datasets/{broken.id}"),
        Stop("choose", "/detections/new"),
        Stop("detect", f"/detections/new?dataset={dataset.id}"),
        Stop("detect-lof", f"/detections/new?dataset={dataset.id}&algorithm=local_outlier_factor"),
        Stop("history", "/detections"),
        Stop("compare", f"/detections/compare?{compared}"),
        Stop("result", first),
        Stop("result-filtered", f"{first}?sort=row"),
        Stop("triage", "/triage"),
        Stop("triage-row", f"/triage/{results[1].id}"),
        Stop("detectors", "/detectors"),
        Stop("detector", f"/detectors/{detector.id}"),
        Stop("detector-new", "/detectors/new"),
        Stop("detector-edit", f"/detectors/{detector.id}/edit"),
        Stop("jobs", "/jobs"),
        Stop("job", f"/jobs/{job.id}"),
        Stop("account", "/account"),
        Stop("admin", "/admin"),
        Stop("admin-users", "/admin/users"),
        Stop("admin-audit", "/admin/audit"),
        Stop("not-found", "/nowhere"),
    ]
