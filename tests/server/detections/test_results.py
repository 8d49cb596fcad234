"""Results over HTTP once they are there: filters, names and remarks, feedback, deletion."""

import csv as csv_reader
import io
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.db import Database
from pynomaly.server.detections.models import Feedback
from pynomaly.server.jobs.models import Job
from pynomaly.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from trained_rows import csv, done, rows

RESULTS = "/api/v1/detection/results"


@pytest.fixture
def dataset(api: httpx.Client, worker: Any) -> str:
    """A stored table of 90 rows."""
    return str(done(api, "/datasets/upload", files={"file": ("t.csv", csv(rows(90)))})["id"])


def detect(api: httpx.Client, dataset: str, **more: Any) -> Any:
    return done(api, "/detection/detect", json={"dataset_id": dataset, "algorithm": "knn", **more})


def ids(api: httpx.Client, **filters: Any) -> list[str]:
    answer = api.get(RESULTS, params=filters)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


def test_filters_and_orders(api: httpx.Client, dataset: str, database: Database) -> None:
    """Each filter alone; what no filter is called is refused; running is what the job says."""
    one = detect(api, dataset, contamination=0.2)
    two = detect(api, dataset, algorithm="isolation_forest", contamination=0.05)
    three = api.post("/api/v1/detection/detect", json={"dataset_id": dataset, "columns": ["at"]}).json()
    while api.get(f"{RESULTS}/{three['id']}").json()["status"] in ("queued", "running"):
        threading.Event().wait(0.05)
    assert ids(api) == [three["id"], two["id"], one["id"]]
    assert ids(api, sort="created_at") == [one["id"], two["id"], three["id"]]
    assert ids(api, sort="-n_anomalies")[0] == one["id"]
    assert ids(api, algorithm="isolation_forest") == [two["id"]]
    assert ids(api, dataset_id=dataset, limit=1) == [three["id"]]
    assert ids(api, dataset_id=one["id"]) == []
    assert ids(api, detector_id=one["id"]) == []
    assert ids(api, until=two["created_at"]) == [one["id"]]
    assert ids(api, since=two["created_at"]) == [three["id"], two["id"]]
    assert set(ids(api, status="completed")) >= {one["id"], two["id"]}
    assert ids(api, status="queued") == []
    with database.session() as session:
        session.execute(update(Job).where(Job.id == one["job_id"]).values(status="running"))
        from pynomaly.server.detections.models import Detection

        session.get_one(Detection, one["id"]).stored_status = "queued"
    assert ids(api, status="running") == [one["id"]]
    assert ids(api, status="queued") == []
    for wrong in ({"status": "done"}, {"sort": "owner_id"}, {"owner_id": "x"}, {"since": "yesterday"}):
        assert api.get(RESULTS, params=wrong).status_code == 422
    assert api.get(RESULTS, params={"fields": "id,status", "limit": 1}).json()["items"] == [
        {"id": three["id"], "status": api.get(f"{RESULTS}/{three['id']}").json()["status"]}
    ]


@pytest.mark.any_database
def test_names_and_remarks(api: httpx.Client, dataset: str, log_in: Any) -> None:
    """Changed by who saw the present state; not by strangers, nor more than that."""
    result = detect(api, dataset)
    path = f"{RESULTS}/{result['id']}"
    tag = api.get(path).headers["etag"]
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 304
    named = api.patch(path, json={"name": " March ", "remarks": "Looks fine."}, headers={"If-Match": tag})
    assert named.status_code == 200, named.text
    assert (named.json()["name"], named.json()["remarks"]) == ("March", "Looks fine.")
    assert api.get(path).headers["etag"] == named.headers["etag"] != tag
    late = api.patch(path, json={"name": "April"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert api.patch(path, json={"name": ""}).json()["name"] == ""
    assert api.get(path).json()["remarks"] == "Looks fine."
    for wrong in (
        {"name": "x\ny"},
        {"name": "x" * 201},
        {"remarks": "x" * 10_001},
        {"remarks": "\0"},
        {"owner_id": "x"},
        {"status": "failed"},
        {"name": None},
    ):
        assert api.patch(path, json=wrong).status_code in (400, 422), wrong
    assert log_in("eve@example.org").patch(path, json={"name": "x"}).status_code == 404
    assert log_in("vi@example.org", "viewer").patch(path, json={"name": "x"}).status_code == 403


def test_feedback(api: httpx.Client, dataset: str, log_in: Any, database: Database) -> None:
    """One verdict of each person on each row, replaced by the next; listed, counted, exported, taken back."""
    result = detect(api, dataset)
    path = f"{RESULTS}/{result['id']}/feedback"
    items = [
        {"row": 89, "verdict": "anomaly", "note": "=cmd()"},
        {"row": 3, "verdict": "normal", "note": 'a "quoted", one\nof two lines'},
        {"row": 4, "verdict": "unsure"},
    ]
    given = api.post(path, json={"items": items})
    assert given.status_code == 200, given.text
    assert [item["row"] for item in given.json()["items"]] == [3, 4, 89]
    again = api.post(path, json={"items": [{"row": 3, "verdict": "anomaly"}]}).json()["items"]
    assert [(item["row"], item["verdict"], item["note"]) for item in again] == [(3, "anomaly", "")]
    assert again[0]["created_at"] == given.json()["items"][0]["created_at"] < again[0]["updated_at"]
    root = log_in("root@example.org", "admin")
    assert root.post(path, json={"items": [{"row": 3, "verdict": "normal"}]}).status_code == 200
    page = api.get(path, params={"limit": 2}).json()
    rest = api.get(path, params={"cursor": page["next_cursor"]}).json()["items"]
    assert sorted(item["row"] for item in page["items"] + rest) == [3, 3, 4, 89]
    assert [item["row"] for item in api.get(path, params={"verdict": "anomaly"}).json()["items"]] == [3, 89]
    counts = api.get(f"{RESULTS}/{result['id']}").json()["feedback"]
    assert counts == {"anomaly": 2, "normal": 1, "unsure": 1}

    text = api.get(f"{RESULTS}/{result['id']}/export").text
    table = {row["row"]: row for row in csv_reader.DictReader(io.StringIO(text))}
    assert len(table) == 90
    assert (table["89"]["verdict"], table["89"]["note"]) == ("anomaly", "'=cmd()")
    assert (table["3"]["verdict"], table["4"]["verdict"], table["5"]["verdict"]) == ("normal", "unsure", "")
    told = api.get(f"{RESULTS}/{result['id']}/export", params={"format": "json"}).json()
    assert {row["row"]: row["verdict"] for row in told if row["verdict"]} == {
        89: "anomaly",
        3: "normal",
        4: "unsure",
    }

    assert api.delete(f"{path}/4").status_code == 204
    assert api.delete(f"{path}/4").status_code == 404
    assert api.delete(f"{path}/3").status_code == 204
    assert [item["user_id"] for item in api.get(path, params={"verdict": "normal"}).json()["items"]] == [
        root.get("/api/v1/auth/me").json()["id"]
    ]
    for wrong in (
        [{"row": 90, "verdict": "normal"}],
        [{"row": -1, "verdict": "normal"}],
        [{"row": 2**63, "verdict": "normal"}],
        [{"row": 1, "verdict": "good"}],
        [{"row": 1, "verdict": "normal", "user_id": "x"}],
        [{"row": 1, "verdict": "normal"}, {"row": 1, "verdict": "anomaly"}],
        [{"row": 1, "verdict": "normal", "note": "x" * 4001}],
        [],
        [{"row": i, "verdict": "normal"} for i in range(1001)],
    ):
        assert api.post(path, json={"items": wrong}).status_code == 422, wrong
    missing = api.post(path, json={"items": [items[0], {"row": 90, "verdict": "normal"}]}).json()
    assert missing["errors"][0]["pointer"] == "#/items/1/row"
    eve, vi = log_in("eve@example.org"), log_in("vi@example.org", "viewer")
    body = {"items": items}
    assert (eve.post(path, json=body).status_code, eve.get(path).status_code) == (404, 404)
    assert (vi.post(path, json=body).status_code, eve.delete(f"{path}/89").status_code) == (403, 404)
    with database.session(write=False) as session:
        actions = [entry.action for entry in session.scalars(select(AuditEntry))]
    assert actions.count("feedback.delete") == 2


@pytest.mark.any_database
def test_an_export_without_feedback_has_no_such_columns(api: httpx.Client, dataset: str) -> None:
    result = detect(api, dataset)
    header = api.get(f"{RESULTS}/{result['id']}/export").text.splitlines()[0]
    assert "verdict" not in header


def test_deletion(
    api: httpx.Client, dataset: str, log_in: Any, database: Database, settings: Settings
) -> None:
    """With its files, its own model and its feedback; never while its job runs."""
    result, other = detect(api, dataset), detect(api, dataset)
    path = f"{RESULTS}/{result['id']}"
    before = {file for file in (settings.home / "blobs").rglob("*") if file.is_file()}
    api.post(f"{path}/feedback", json={"items": [{"row": 1, "verdict": "normal"}]})
    tag = api.get(path).headers["etag"]
    api.patch(path, json={"name": "x"})
    assert api.delete(path, headers={"If-Match": tag}).status_code == 412
    assert log_in("eve@example.org").delete(path).status_code == 404
    assert log_in("vi@example.org", "viewer").delete(path).status_code == 403
    for status in ("queued", "running"):
        with database.session() as session:
            session.execute(update(Job).where(Job.id == result["job_id"]).values(status=status, worker="w"))
        assert api.delete(path).status_code == 409
    with database.session() as session:
        session.execute(update(Job).where(Job.id == result["job_id"]).values(status="completed"))
    fresh = api.get(path).headers["etag"]
    assert api.delete(path, headers={"If-Match": fresh}).status_code == 204
    assert (api.get(path).status_code, api.delete(path).status_code) == (404, 404)
    assert ids(api) == [other["id"]]
    gone = before - {file for file in (settings.home / "blobs").rglob("*") if file.is_file()}
    assert sorted(file.suffix for file in gone) == [".parquet", ".pynomaly"]
    with database.session(write=False) as session:
        assert list(session.scalars(select(Feedback))) == []
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "detection.delete"))
        assert (entry.target_id, entry.target_name) == (result["id"], "x")
