"""Many datasets, many detectors over HTTP: one parent job, a child for each pair, and what may go wrong."""

import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from pynomaly.detection.choice import WAYS
from pynomaly.server.db import Database
from pynomaly.server.detectors.models import Detector

sys.path.insert(0, str(Path(__file__).parents[1]))

from trained_rows import csv, done, rows, train


@pytest.fixture
def made(api: httpx.Client, worker: Any) -> tuple[list[str], list[str]]:
    """Three datasets, of which the last lacks the columns; two trained detectors."""
    detectors = [train(api, name).detector_id for name in ("isolation_forest", "knn")]
    tables = [csv(rows(60)), csv(rows(80)), b"a,b\n" + b"".join(b"%d,%d\n" % (i, i % 7) for i in range(50))]
    datasets = [done(api, "/datasets/upload", files={"file": ("t.csv", table)})["id"] for table in tables]
    return datasets, detectors


def ended(api: httpx.Client, job_id: str) -> Any:
    deadline = time.monotonic() + 60
    while True:
        job = api.get(f"/api/v1/jobs/{job_id}").raise_for_status().json()
        if job["status"] not in ("queued", "running"):
            return job
        assert time.monotonic() < deadline, job
        threading.Event().wait(0.05)


def test_each_on_each(api: httpx.Client, made: tuple[list[str], list[str]]) -> None:
    """What fits runs, what does not is told in its place; the parent counts its children."""
    datasets, detectors = made
    body = {"dataset_ids": datasets, "detector_ids": detectors, "max_alerts": 2}
    headers = {"Idempotency-Key": "once"}
    answer = api.post("/api/v1/detection/batch", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    started = answer.json()
    assert answer.headers["location"] == f"/api/v1/jobs/{started['job_id']}"
    assert [(i["dataset_id"], i["detector_id"]) for i in started["items"]] == [
        (dataset, detector) for dataset in datasets for detector in detectors
    ]
    assert [item["error_code"] for item in started["items"]] == [None] * 4 + ["schema_mismatch"] * 2
    assert api.post("/api/v1/detection/batch", json=body, headers=headers).json() == started
    parent = ended(api, started["id"])
    assert (parent["status"], parent["progress"], parent["kind"]) == ("completed", 1.0, "detection.batch")
    assert parent["children"] == {"queued": 0, "running": 0, "completed": 4, "failed": 0, "cancelled": 0}
    children = api.get("/api/v1/jobs", params={"parent_id": started["id"]}).json()["items"]
    assert {child["id"] for child in children} == {i["job_id"] for i in started["items"][:4]}
    assert {child["parent_id"] for child in children} == {started["id"]}
    for item in started["items"][:4]:
        result = api.get(f"/api/v1/detection/results/{item['id']}").json()
        assert (result["status"], result["max_alerts"], result["contamination"]) == ("completed", 2, None)


def test_what_is_refused(api: httpx.Client, made: tuple[list[str], list[str]], log_in: Any) -> None:
    """Whole, before anything begins."""
    datasets, detectors = made
    untrained = done(api, "/detectors", json={"name": "new"})["id"]
    unknown = "00000000-0000-4000-8000-000000000000"
    for body, status in (
        ({"dataset_ids": datasets, "detector_ids": [untrained]}, 409),
        ({"dataset_ids": [unknown], "detector_ids": detectors}, 404),
        ({"dataset_ids": datasets, "detector_ids": [unknown]}, 404),
        ({"dataset_ids": [datasets[0]] * 2, "detector_ids": detectors}, 422),
        ({"dataset_ids": [], "detector_ids": detectors}, 422),
        ({"dataset_ids": [f"{i}" for i in range(101)], "detector_ids": detectors}, 422),
        ({"dataset_ids": datasets, "detector_ids": [f"{i}" for i in range(21)]}, 422),
        (
            {
                "dataset_ids": [f"{i}" for i in range(51)],
                "detector_ids": [f"{i}" for i in range(10)],
            },
            422,
        ),
        ({"dataset_ids": datasets[2:], "detector_ids": detectors}, 422),
        ({"dataset_ids": datasets, "detector_ids": detectors, "fdr": 0.1, "max_alerts": 1}, 422),
        ({"dataset_ids": datasets, "detector_ids": detectors, "fdr": 0.9}, 422),
        ({"dataset_ids": datasets, "detector_ids": detectors, "threshold": 1}, 422),
    ):
        answer = api.post("/api/v1/detection/batch", json=body)
        assert answer.status_code == status, (body, answer.text)
    good = {"dataset_ids": datasets, "detector_ids": detectors}
    assert log_in("eve@example.org").post("/api/v1/detection/batch", json=good).status_code == 404
    assert log_in("vi@example.org", "viewer").post("/api/v1/detection/batch", json=good).status_code == 403
    assert api.get("/api/v1/detection/results").json()["items"] == []
    assert api.get("/api/v1/jobs", params={"kind": "detection.batch"}).json()["items"] == []


def test_cancelling_a_batch(api: httpx.Client, made: tuple[list[str], list[str]], worker: Any) -> None:
    """The children end with it, and their results say so."""
    datasets, detectors = made
    worker.stop()
    worker.stop()
    deadline = time.monotonic() + 20
    while any(thread.name == "worker" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
    body = {"dataset_ids": datasets[:2], "detector_ids": detectors}
    started = api.post("/api/v1/detection/batch", json=body).json()
    parent = api.post(f"/api/v1/jobs/{started['id']}/cancel").json()
    assert (parent["status"], parent["children"]["cancelled"]) == ("cancelled", 4)
    results = api.get("/api/v1/detection/results").json()["items"]
    assert [result["status"] for result in results] == ["cancelled"] * 4


@pytest.mark.any_database
def test_a_threshold_set_by_hand(
    api: httpx.Client, made: tuple[list[str], list[str]], database: Database
) -> None:
    """A detection and scoring at once use the detector's threshold, unless another way is asked for."""
    datasets, [detector, _] = made
    with database.session() as session:
        session.get_one(Detector, detector).threshold = 0.25
    body = {"dataset_id": datasets[0], "detector_id": detector}
    by_hand = done(api, "/detection/detect", json=body)
    assert (by_hand["threshold"], by_hand["threshold_by_hand"]) == (0.25, True)
    assert {by_hand[way] for way in WAYS} == {None}
    scored = done(api, "/detection/score", 200, json={"detector_id": detector, "rows": rows(60)})
    assert scored["threshold"] == 0.25
    moved = done(api, "/detection/detect", json=body | {"max_alerts": 1})
    assert (moved["threshold_by_hand"], moved["max_alerts"]) == (False, 1)
    assert moved["threshold"] != 0.25
    ids = f"{by_hand['id']},{moved['id']}"
    told = api.get("/api/v1/detection/compare", params={"ids": ids}).json()["differences"]
    assert {one["field"]: one["values"] for one in told} == {
        "max_alerts": [None, 1],
        "threshold": [0.25, None],
    }
