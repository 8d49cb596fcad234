"""A trained detector with numbers, a category and timestamps, behind the API; and rows like its own."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from pynomaly.server.jobs.worker import Worker
from pynomaly.server.scoring.scorer import Scorer
from pynomaly.settings import Settings

SECRET = SecretStr("a secret of all tests that score")

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


class SharedScorer(Scorer):
    """A scoring process that outlives the applications that use it: its start takes more than a second."""

    def close(self) -> None:
        """Go on."""

    def end(self) -> None:
        """Be gone."""
        super().close()


@pytest.fixture(scope="session")
def scorer() -> Iterator[SharedScorer]:
    """The scoring process of all installations with SECRET."""
    scorer = SharedScorer(Settings(secret_key=SECRET))
    yield scorer
    scorer.end()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An installation with the secret that the shared scoring process knows."""
    return settings.model_copy(update={"secret_key": SECRET})


@pytest.fixture
def app(app: FastAPI, scorer: SharedScorer) -> FastAPI:
    """The application, which scores in the shared process."""
    app.state.scorer = scorer
    return app


@pytest.fixture
def trained(api: httpx.Client, worker: Worker) -> Trained:
    """A trained detector of the ordinary user, called "payments", with columns of each type."""
    return train(api)
