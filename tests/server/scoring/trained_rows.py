"""A trained detector with numbers, a category and timestamps, behind the API; and rows like its own."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

HEADER = ("amount", "size", "country", "at")


def rows(count: int = 120) -> list[dict[str, Any]]:
    """Rows of which the last is far out."""
    source = random.Random(5)
    start = datetime(2026, 1, 1, 8, tzinfo=UTC)
    made: list[dict[str, Any]] = [
        {
            "amount": round(source.gauss(50, 5), 3),
            "size": round(source.gauss(0, 1), 3),
            "country": source.choice(["NL", "DE", "FR"]),
            "at": (start + timedelta(hours=7 * i)).strftime("%Y-%m-%dT%H:%M:%S"),
        }
        for i in range(count - 1)
    ]
    return [*made, {"amount": 4000.5, "size": -90.25, "country": "XX", "at": "2026-02-01T03:00:00"}]


def csv(table: list[dict[str, Any]]) -> bytes:
    """The rows as a file."""
    lines = [",".join(HEADER), *(",".join(str(row[name]) for name in HEADER) for row in table)]
    return "\n".join(lines).encode()


def done(api: httpx.Client, path: str, status: int = 201, **arguments: Any) -> Any:
    """POST under /api/v1, wait for the job, check the status."""
    answer = api.post(f"/api/v1{path}", headers={"Prefer": "wait=30"}, **arguments)
    assert answer.status_code == status, answer.text
    return answer.json()


@dataclass
class Trained:
    """What was made: ids of the dataset and of the detector."""

    dataset_id: str
    detector_id: str


def train(api: httpx.Client, algorithm: str = "isolation_forest", **definition: Any) -> Trained:
    """Upload the rows and train a detector on them."""
    dataset = done(api, "/datasets/upload", files={"file": ("t.csv", csv(rows()))})
    definition = {"name": "payments", "algorithm": algorithm, **definition}
    detector = done(api, "/detectors", json=definition)
    done(api, f"/detectors/{detector['id']}/train", 200, json={"dataset_id": dataset["id"]})
    return Trained(dataset["id"], detector["id"])
