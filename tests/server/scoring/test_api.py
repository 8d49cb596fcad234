"""`POST /detection/score` over HTTP, against what a detection of the same rows gives."""

import json
import math
import os
import random
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from pynomaly.server.db import Database
from pynomaly.server.scoring.api import get_scorer
from pynomaly.server.scoring.scorer import Scorer
from pynomaly.server.web.facts import calls
from pynomaly.server.web.guard import ROWS
from pynomaly.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from trained_rows import HEADER, Trained, csv, done, rows, train

pytestmark = pytest.mark.any_database

SCORE = "/api/v1/detection/score"


def score(api: httpx.Client, detector_id: str, table: list[dict[str, Any]], **more: Any) -> httpx.Response:
    return api.post(SCORE, json={"detector_id": detector_id, "rows": table, **more})


def by_detection(api: httpx.Client, dataset_id: str, detector_id: str) -> tuple[dict[str, Any], list[Any]]:
    """A detection's result, and its rows in the dataset's order."""
    result = done(api, "/detection/detect", json={"dataset_id": dataset_id, "detector_id": detector_id})
    path = f"/api/v1/detection/results/{result['id']}/rows"
    return result, api.get(path, params={"sort": "row", "limit": 200}).json()["items"]


@pytest.mark.parametrize(
    ("algorithm", "definition"),
    [
        ("isolation_forest", {}),
        ("isolation_forest", {"fdr": 0.2}),
        ("knn", {"max_alerts": 3}),
        ("auto", {"quantile": 0.9}),
    ],
)
@pytest.mark.usefixtures("worker")
def test_the_same_as_a_detection(api: httpx.Client, algorithm: str, definition: dict[str, Any]) -> None:
    """To the last digit: scores, p-values, verdicts, threshold, reasons and sentences, for new rows."""
    trained = train(api, algorithm, **definition)
    table = rows(70)[10:]
    other = done(api, "/datasets/upload", files={"file": ("u.csv", csv(table))})
    result, expected = by_detection(api, other["id"], trained.detector_id)
    answer = score(api, trained.detector_id, table, explain=True).raise_for_status().json()
    assert answer["threshold"] == result["threshold"]
    assert (answer["model_id"], answer["version"]) == (result["model_id"], 1)
    fields = ("score", "p_value", "is_anomaly", "summary", "reasons")
    assert answer["items"] == [{name: row[name] for name in fields} for row in expected]
    if "fdr" not in definition:
        singly = [score(api, trained.detector_id, [row]).json()["items"][0] for row in table[-3:]]
        assert [one["score"] for one in singly] == [row["score"] for row in expected[-3:]]
        assert singly[0]["summary"] is None


def test_versions(api: httpx.Client, trained: Trained) -> None:
    """By number, or the one in use by its name; what is not there answers 404."""
    done(api, f"/detectors/{trained.detector_id}/train", 200, json={"dataset_id": trained.dataset_id})
    for version, found in ((None, 2), (1, 1), (2, 2), ("1", 1), ("production", 2)):
        answer = score(api, trained.detector_id, rows()[:1], version=version)
        assert answer.json()["version"] == found, answer.text
    for version in (3, "staging", "0"):
        assert score(api, trained.detector_id, rows()[:1], version=version).status_code == 404
    for version in (0, -1, 2**31, "", "x" * 65, 1.5, True):
        assert score(api, trained.detector_id, rows()[:1], version=version).status_code == 422


def test_rows_that_do_not_fit(api: httpx.Client, trained: Trained) -> None:
    """The pointer names row and column; nothing of it reaches the scoring process."""
    good = rows()[0]
    for place, wrong in (
        ("amount", {"amount": "12"}),
        ("amount", {"amount": True}),
        ("size", {"size": [1]}),
        ("country", {"country": 3}),
        ("at", {"at": "yesterday"}),
        ("at", {"at": 5}),
        ("extra~1x", {"extra/x": 1}),
    ):
        answer = score(api, trained.detector_id, [good, good, good, {**good, **wrong}])
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["pointer"] == f"#/rows/3/{place}"
    for name in HEADER:
        answer = score(api, trained.detector_id, [{k: v for k, v in good.items() if k != name}])
        assert answer.json()["errors"][0]["pointer"] == f"#/rows/0/{name}"
    for table in ([], [good] * 1001, [3], good):
        assert score(api, trained.detector_id, table).status_code == 422  # type: ignore[arg-type]
    huge = b'{"detector_id": "x", "rows": [{"amount": %s}]}'
    for number in (b"NaN", b"1e400", b"-Infinity"):
        answer = api.post(SCORE, content=huge % number, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
    long = score(api, trained.detector_id, [{**good, "amount": 10**400}])
    assert long.status_code in (400, 422)


def test_missing_values_and_zones(api: httpx.Client, trained: Trained) -> None:
    """null is a missing value; a moment is the same in any zone."""
    empty = score(api, trained.detector_id, [dict.fromkeys(HEADER)]).raise_for_status().json()["items"][0]
    assert math.isfinite(empty["score"])
    good = rows()[0]
    zones = [{**good, "at": at} for at in ("2026-01-01T09:00:00+01:00", "2026-01-01T08:00:00Z", good["at"])]
    scores = {item["score"] for item in score(api, trained.detector_id, zones).json()["items"]}
    assert len(scores) == 1


def test_whose_it_is(api: httpx.Client, trained: Trained, log_in: Any) -> None:
    """A stranger's detector is not there; a viewer scores nothing; an untrained one cannot."""
    assert score(log_in("eve@example.org"), trained.detector_id, rows()[:1]).status_code == 404
    assert score(log_in("vi@example.org", "viewer"), trained.detector_id, rows()[:1]).status_code == 403
    fresh = done(api, "/detectors", json={"name": "new"})
    assert score(api, fresh["id"], rows()[:1]).status_code == 409
    assert httpx.post(str(api.base_url.join(SCORE)), json={}).status_code == 401


def test_shared(api: httpx.Client, trained: Trained, log_in: Any) -> None:
    """Whom it is shown to may not score with it; who may use it may, here and by the inference protocol."""
    eve = log_in("eve@example.org")
    row = rows()[0]
    inputs = [
        {"name": name, "shape": [1], "datatype": kind, "data": [row[name]]}
        for name, kind in zip(HEADER, ("FP64", "FP64", "BYTES", "BYTES"), strict=True)
    ]
    for access, status in (("view", 403), ("use", 200)):
        shared = {"email": "eve@example.org", "access": access}
        assert api.put(f"/api/v1/detectors/{trained.detector_id}/shares", json=shared).is_success
        assert score(eve, trained.detector_id, [row]).status_code == status
        for name in (trained.detector_id, "payments"):
            answer = eve.post(f"/v2/models/{name}/infer", json={"inputs": inputs})
            assert answer.status_code == status, answer.text
            assert eve.get(f"/v2/models/{name}").status_code == 200
        body = {"dataset_ids": [trained.dataset_id], "detector_ids": [trained.detector_id]}
        assert eve.post("/api/v1/detection/batch", json=body).status_code == 404  # the dataset is not shared


def test_keys(api: httpx.Client, trained: Trained) -> None:
    """A key scores with its scope only."""
    for scope, status in (("detections:read", 403), ("detections:write", 200)):
        made = api.post("/api/v1/auth/api-keys", json={"name": "k", "scopes": [scope]})
        key = {"X-API-Key": made.raise_for_status().json()["key"]}
        body = {"detector_id": trained.detector_id, "rows": rows()[:1]}
        assert httpx.post(str(api.base_url.join(SCORE)), json=body, headers=key).status_code == status


def test_a_crash_ends_only_what_was_under_way(api: httpx.Client, app: FastAPI, trained: Trained) -> None:
    """503, and the next request finds a new process; it ends with the server (see the fixture)."""
    assert score(api, trained.detector_id, rows()).status_code == 200
    scorer: Scorer = app.state.scorer
    first = scorer.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    with ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(score, api, trained.detector_id, rows()[:1]) for _ in range(3)]
        until(lambda: scorer._running is not None and len(scorer._running._waiting) == 3)
        assert api.get("/api/v1/health/live").status_code == 200
        os.kill(first, signal.SIGKILL)
        failed = [one.result() for one in waiting]
    assert [answer.status_code for answer in failed] == [503, 503, 503]
    assert failed[0].json()["code"] == "scoring_failed"
    assert failed[0].headers["retry-after"] == "1"
    assert score(api, trained.detector_id, rows()).status_code == 200
    assert scorer.pid != first


def test_a_hang_ends_in_time(
    api: httpx.Client, app: FastAPI, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    """504 for who waited longest; the process is replaced."""
    assert score(api, trained.detector_id, rows()).status_code == 200
    scorer: Scorer = app.state.scorer
    first = scorer.pid
    assert first is not None
    monkeypatch.setattr(
        scorer, "_settings", app.state.settings.model_copy(update={"scoring_timeout_seconds": 0.5})
    )
    os.kill(first, signal.SIGSTOP)
    answer = score(api, trained.detector_id, rows()[:1])
    assert (answer.status_code, answer.json()["code"]) == (504, "scoring_timed_out")
    monkeypatch.undo()
    assert score(api, trained.detector_id, rows()).status_code == 200
    assert scorer.pid != first
    assert not Path(f"/proc/{first}").exists()


def test_too_much_at_once(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full house answers at once."""
    monkeypatch.setattr("pynomaly.server.scoring.scorer.MOST_WAITING", 2)
    scorer = Scorer(app.state.settings, ["sleep", "60"])
    for _ in range(2):
        scorer._submit(b"{}")
    with pytest.raises(Exception, match="Too many rows"):
        scorer._submit(b"{}")
    pid = scorer.pid
    scorer.close()
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(Exception, match="stopping"):
        scorer._submit(b"{}")


def test_many_at_once_get_their_own_answers(api: httpx.Client, trained: Trained) -> None:
    """Requests share one process, and nobody hears of another's rows."""
    table = rows()
    expected = [item["score"] for item in score(api, trained.detector_id, table).json()["items"]]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda row: score(api, trained.detector_id, [row]).json(), table))
    assert [answer["items"][0]["score"] for answer in answers] == expected


def test_a_damaged_model(api: httpx.Client, trained: Trained, settings: Settings, database: Database) -> None:
    """It is refused, as a detection would; one that is gone as well."""
    [path] = (settings.home / "blobs" / "models").iterdir()
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"?")
    answer = score(api, trained.detector_id, rows()[:1])
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_bundle")
    path.write_bytes(data)
    assert score(api, trained.detector_id, rows()[:1]).status_code == 200
    path.unlink()
    assert score(api, trained.detector_id, rows()[:1]).status_code == 404


def until(condition: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.005)


def wide(columns: int, count: int = 1000) -> list[dict[str, float]]:
    """Rows of many numbers with all their digits."""
    source = random.Random(3)
    names = [f"measurement_{number:03d}" for number in range(columns)]
    return [{name: source.gauss(0, 1) for name in names} for _ in range(count)]


@pytest.mark.usefixtures("worker")
def test_a_thousand_wide_rows(api: httpx.Client, client: httpx.Client, log_in: Any) -> None:
    """Eight megabytes are taken here and by the inference protocol, from who may score, and nowhere else."""
    table = wide(200)
    names = list(table[0])
    lines = [",".join(names), *(",".join(map(repr, row.values())) for row in table)]
    dataset = done(api, "/datasets/upload", files={"file": ("wide.csv", "\n".join(lines))})
    detector = done(api, "/detectors", json={"name": "wide", "algorithm": "hbos"})
    done(api, f"/detectors/{detector['id']}/train", 200, json={"dataset_id": dataset["id"]})
    body = {"detector_id": detector["id"], "rows": table}
    assert len(json.dumps(body)) > 7_900_000
    answer = score(api, detector["id"], table)
    assert answer.status_code == 200, answer.text[:300]
    data = [list(row.values()) for row in table]
    tensor = {"name": "input", "shape": [1000, 200], "datatype": "FP64", "data": data}
    inferred = api.post("/v2/models/wide/infer", json={"inputs": [tensor]})
    assert inferred.status_code == 200, inferred.text[:300]
    scores = [item["score"] for item in answer.json()["items"]]
    assert inferred.json()["outputs"][0]["data"] == scores

    assert client.post(SCORE, json=body).status_code == 401
    assert log_in("vi@example.org", "viewer").post(SCORE, json=body).status_code in (403, 413)
    assert api.patch(f"/api/v1/detectors/{detector['id']}", json=body).status_code == 413
    huge = score(api, detector["id"], [row | {"more": "x" * 12_000} for row in table])
    assert (huge.status_code, huge.json()["detail"]) == (413, "The body is larger than 16 MiB.")


def test_where_many_rows_are_taken(app: FastAPI) -> None:
    """The gate knows each route that scores."""
    routes = [route for route in iter_route_contexts(app.routes) if isinstance(route.path, str)]
    scoring = {route.path for route in routes if get_scorer in calls_of(route)}
    assert scoring == {route.path for route in routes if ROWS.fullmatch(route.path)}
    assert len(scoring) == 3


def calls_of(route: Any) -> set[Any]:
    """What a route's dependencies call."""
    dependant = getattr(route.original_route, "dependant", None)
    return set() if dependant is None else set(calls(dependant))
