"""The features' routes in this process, with a worker beside it: the whole path, and what each answers."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from pynomaly.server.datasets import tasks
from pynomaly.server.db import Database
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings

WAIT = {"Prefer": "wait=30"}
CSV = b"a,b,c\n" + b"".join(b"%d.5,%d.25,%d.75\n" % (i % 13, i % 7, i % 5) for i in range(90))


def post(api: httpx.Client, path: str, status: int, **arguments: Any) -> Any:
    """POST under /api/v1 and check the status."""
    answer = api.post(f"/api/v1{path}", headers=WAIT, **arguments)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_the_whole_path(api: httpx.Client) -> None:
    """Upload, define, train, detect, rows, export; each answer when it is done."""
    dataset = post(api, "/datasets/upload", 201, files={"file": ("t.csv", CSV)}, data={"name": "T"})
    assert (dataset["name"], dataset["n_rows"], len(dataset["columns"])) == ("T", 90, 3)
    detector = post(api, "/detectors", 201, json={"name": "d"})
    assert api.get(f"/api/v1/detectors/{detector['id']}").json() == detector
    path = f"/api/v1/detectors/{detector['id']}"
    assert api.put(path, json={"name": "e"}).json()["name"] == "e"
    trained = post(api, f"/detectors/{detector['id']}/train", 200, json={"dataset_id": dataset["id"]})
    assert trained["model"]["version"] == 1
    body = {"dataset_id": dataset["id"], "detector_id": detector["id"]}
    result = post(api, "/detection/detect", 201, json=body)
    assert (result["status"], result["contamination"]) == ("completed", "auto")
    rows = api.get(f"/api/v1/detection/results/{result['id']}/rows", params={"limit": 10}).json()
    assert [row["rank"] for row in rows["items"]] == list(range(1, 11))
    assert api.get(f"/api/v1/detection/results/{result['id']}").json() == result
    table = api.get(f"/api/v1/datasets/{dataset['id']}/rows").json()
    assert len(table["items"]) == 50
    job = api.get(f"/api/v1/jobs/{result['job_id']}").json()
    assert (job["kind"], job["status"]) == ("detection.run", "completed")
    assert api.post(f"/api/v1/jobs/{job['id']}/cancel").json() == job
    for form in ("csv", "json", "parquet"):
        answer = api.get(f"/api/v1/detection/results/{result['id']}/export", params={"format": form})
        assert int(answer.headers["content-length"]) == len(answer.content)
    for path in ("datasets", "detectors", "detection/results"):
        assert len(api.get(f"/api/v1/{path}").json()["items"]) == 1
    assert api.get("/api/v1/detectors/algorithms").json()["items"]


@pytest.mark.usefixtures("worker")
def test_a_failure_while_one_waits(api: httpx.Client) -> None:
    """The problem is the job's, with the failed thing's id."""
    problem = post(api, "/datasets/upload", 422, files={"file": ("t.csv", b"a,a\n1,2\n")})
    assert problem["code"] == "bad_columns"
    failed = api.get(f"/api/v1/datasets/{problem['details']['id']}").json()
    assert (failed["status"], failed["error_detail"]) == ("failed", problem["detail"])


def test_without_a_worker(api: httpx.Client) -> None:
    """202, a place to look, and a job that waits; waiting in vain ends in time."""
    answer = api.post("/api/v1/datasets/upload", files={"file": ("t.csv", CSV)}, headers={"Prefer": "wait=1"})
    assert answer.status_code == 202
    dataset = answer.json()
    assert answer.headers["location"] == f"/api/v1/datasets/{dataset['id']}"
    assert (dataset["status"], dataset["progress"]) == ("processing", 0.0)
    job = api.post(f"/api/v1/jobs/{dataset['job_id']}/cancel").json()
    assert (job["status"], job["error_code"]) == ("cancelled", "cancelled")
    failed = api.get(f"/api/v1/datasets/{dataset['id']}").json()
    assert (failed["status"], failed["error_code"]) == ("failed", "cancelled")
    refused = api.post(
        "/api/v1/detection/detect", json={"dataset_id": dataset["id"], "algorithm": "isolation_forest"}
    )
    assert (refused.status_code, refused.json()["detail"]) == (409, "The dataset 't' was cancelled.")
    for path, body in (("detectors", {"name": ""}), ("detection/detect", {"dataset_id": dataset["id"]})):
        assert api.post(f"/api/v1/{path}", json=body).status_code in (409, 422)


def test_a_job_that_ends_through_no_fault_of_the_request(
    api: httpx.Client, database: Database, settings: Settings
) -> None:
    """Whoever waits gets the thing, which says how it ended."""
    context = Context(settings, LocalStorage(settings.home))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, api, "/datasets/upload", 201, files={"file": ("t.csv", CSV)})
        deadline = time.monotonic() + 20
        while not (found := claim(database)) and time.monotonic() < deadline:
            time.sleep(0.02)
        with database.session() as session:
            job = session.get_one(Job, found[0].id)
            tasks.fail(session, job, "killed", "The process was killed.", context)
            queue.fail(session, job, "killed", "The process was killed.")
        dataset = waiting.result()
    assert (dataset["status"], dataset["error_code"]) == ("failed", "killed")


def claim(database: Database) -> list[Job]:
    """Take the waiting job as a worker would."""
    with database.session() as session:
        return queue.claim(session, "test", 60, ["dataset.ingest"], 1)
