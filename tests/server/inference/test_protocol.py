"""The Open Inference Protocol v2 as a client of it sees it."""

import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from trained_rows import HEADER, Trained, done, rows, train

pytestmark = pytest.mark.any_database


@pytest.fixture
def numbers(api: httpx.Client, worker: Any) -> str:
    """A trained detector with two columns of numbers; its id."""
    return train(api, "knn", name="numbers", columns=["amount", "size"]).detector_id


def tensors(table: list[dict[str, Any]], *, nested: bool = False) -> list[dict[str, Any]]:
    """Columns as tensors."""
    count = len(table)
    return [
        {
            "name": name,
            "shape": [count, 1] if nested else [count],
            "datatype": "FP64" if name in ("amount", "size") else "BYTES",
            "data": [[row[name]] if nested else row[name] for row in table],
        }
        for name in HEADER
    ]


def infer(api: httpx.Client, name: str, inputs: Any, status: int = 200, **more: Any) -> Any:
    answer = api.post(f"/v2/models/{name}/infer", json={"inputs": inputs, **more})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    if status >= 400:
        assert list(answer.json()) == ["error"]
    return answer.json()


def scores(api: httpx.Client, detector_id: str, table: list[dict[str, Any]]) -> list[Any]:
    body = {"detector_id": detector_id, "rows": table}
    return list(done(api, "/detection/score", 200, json=body)["items"])


def test_health_is_open(client: httpx.Client) -> None:
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"live": True, "ready": True}


def test_the_rest_is_not(client: httpx.Client, log_in: Any, trained: Trained) -> None:
    """401 for strangers, 403 for a viewer who infers, 404 for what one may not see, each with the reason."""
    for method, path in (
        ("GET", ""),
        ("GET", "/models/x"),
        ("GET", "/models/x/ready"),
        ("POST", "/models/x/infer"),
    ):
        answer = client.request(method, f"/v2{path}", json={} if method == "POST" else None)
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
    viewer, stranger = log_in("vi@example.org", "viewer"), log_in("eve@example.org")
    infer(viewer, trained.detector_id, tensors(rows()[:1]), 403)
    for name in (trained.detector_id, "payments"):
        infer(stranger, name, tensors(rows()[:1]), 404)
        assert stranger.get(f"/v2/models/{name}").status_code == 404
        assert stranger.get(f"/v2/models/{name}/ready").status_code == 404


def test_metadata(api: httpx.Client, trained: Trained) -> None:
    """Inputs in the model's column order, outputs, versions; by id and name; not ready when untrained."""
    assert api.get("/v2").json()["name"] == "pynomaly"
    told = api.get("/v2/models/payments").json()
    assert [(i["name"], i["datatype"], i["shape"]) for i in told["inputs"]] == [
        ("amount", "FP64", [-1]),
        ("size", "FP64", [-1]),
        ("country", "BYTES", [-1]),
        ("at", "BYTES", [-1]),
    ]
    assert [output["name"] for output in told["outputs"]] == ["score", "p_value", "is_anomaly"]
    assert (told["versions"], told["platform"]) == (["1"], "pynomaly_isolation_forest")
    by_id = api.get(f"/v2/models/{trained.detector_id}/versions/1").json()
    assert by_id == {**told, "name": trained.detector_id}
    assert api.get("/v2/models/payments/versions/production").json() == told
    assert api.get("/v2/models/payments/ready").json() == {"name": "payments", "ready": True}
    assert api.get("/v2/models/payments/versions/1/ready").json()["ready"] is True
    for path in ("payments/versions/2", "payments/versions/2/ready", "nothing", "nothing/ready"):
        answer = api.get(f"/v2/models/{path}")
        assert (answer.status_code, list(answer.json())) == (404, ["error"])
    done(api, "/detectors", json={"name": "new"})
    assert api.get("/v2/models/new/ready").status_code == 503
    assert api.get("/v2/models/new").status_code == 409
    infer(api, "new", tensors(rows()[:1]), 409)


def test_columns_as_tensors(api: httpx.Client, trained: Trained) -> None:
    """The numbers of `POST /detection/score`; flat and nested; by name, id, version; only what is wanted."""
    table = rows()[-20:]
    expected = scores(api, trained.detector_id, table)
    told = infer(api, "payments", tensors(table), id="42")
    assert (told["id"], told["model_name"], told["model_version"]) == ("42", "payments", "1")
    outputs = {output["name"]: output for output in told["outputs"]}
    for name, kind in (("score", "FP64"), ("p_value", "FP64"), ("is_anomaly", "BOOL")):
        assert outputs[name]["data"] == [item[name] for item in expected]
        assert (outputs[name]["shape"], outputs[name]["datatype"]) == ([20], kind)
    for name in (trained.detector_id, "payments/versions/1", "payments/versions/production"):
        assert infer(api, name, tensors(table, nested=True))["outputs"] == told["outputs"]
    wanted = infer(api, "payments", tensors(table), outputs=[{"name": "is_anomaly"}])
    assert [output["name"] for output in wanted["outputs"]] == ["is_anomaly"]
    assert "id" not in wanted


def test_one_matrix(api: httpx.Client, numbers: str) -> None:
    """All columns in one tensor, in the model's order."""
    table = [{"amount": row["amount"], "size": row["size"]} for row in rows()[-7:]]
    expected = [item["score"] for item in scores(api, numbers, table)]
    flat = [value for row in table for value in row.values()]
    nested = [list(row.values()) for row in table]
    for datatype, data in (("FP64", flat), ("FP64", nested), ("FP32", flat)):
        tensor = {"name": "input", "shape": [7, 2], "datatype": datatype, "data": data}
        assert infer(api, "numbers", [tensor])["outputs"][0]["data"] == expected
    good = {"name": "input", "shape": [7, 2], "datatype": "FP64", "data": flat}
    for wrong in (
        {"shape": [2, 7]},
        {"shape": [14]},
        {"shape": [6, 2]},
        {"shape": [7, 3]},
        {"shape": [0, 2], "data": []},
        {"shape": [7, 2, 1]},
        {"shape": [-1, 2]},
        {"shape": [7.0, 2]},
        {"datatype": "BYTES"},
        {"datatype": "FP65"},
        {"data": flat[:-1]},
        {"data": [*nested[:-1], [1.0]]},
        {"data": [*flat[:-1], "x"]},
        {"data": [*flat[:-1], True]},
        {"data": [*nested[:-1], 3]},
        {"name": "output"},
        {"extra": 1},
    ):
        infer(api, "numbers", [good | wrong], 400)
    infer(api, "numbers", [{**good, "shape": [1001, 2], "data": [0.5] * 2002}], 400)


def test_tensors_that_do_not_fit(api: httpx.Client, trained: Trained) -> None:
    """400, and what is wrong in words."""
    good = tensors(rows()[:3])
    assert "country" in infer(api, "payments", good[:2] + good[3:], 400)["error"]
    assert "number" in infer(api, "payments", [{**good[0], "name": "input", "shape": [1, 3]}], 400)["error"]
    extra = {"name": "more", "shape": [3], "datatype": "FP64", "data": [1, 2, 3]}
    for wrong in (
        [*good, good[0]],
        [*good, extra],
        [{**good[0], "data": ["1", "2", "3"]}, *good[1:]],
        [{**good[0], "datatype": "BYTES"}, *good[1:]],
        [{**good[0], "datatype": "BOOL"}, *good[1:]],
        [*good[:2], {**good[2], "datatype": "FP64"}, good[3]],
        [*good[:3], {**good[3], "data": ["x", "y", "z"]}],
        [{**good[0], "shape": [2], "data": [1, 2]}, *good[1:]],
        [{**good[0], "shape": [3, 2], "data": [1] * 6}, *good[1:]],
        [],
        {},
    ):
        infer(api, "payments", wrong, 400)
    infer(api, "payments", good, 400, outputs=[{"name": "loss"}])
    infer(api, "payments", good, 400, outputs=[])
    for content in (b"{", b"", b'{"inputs": NaN}', b"[1e400]"):
        answer = api.post(
            "/v2/models/payments/infer", content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400, (content, answer.text)
        assert list(answer.json()) == ["error"]
    missing = [{**good[0], "data": [None, 1.5, 2]}, *good[1:]]
    assert len(infer(api, "payments", missing)["outputs"][0]["data"]) == 3
    flags = [{**good[0], "datatype": "BOOL", "data": [True, False, None]}, *good[1:]]
    ones = [{**good[0], "data": [1, 0, None]}, *good[1:]]
    assert infer(api, "payments", flags)["outputs"] == infer(api, "payments", ones)["outputs"]
    cookie = api.post("/v2/models/payments/infer?x=1", json={"inputs": good})
    assert cookie.status_code == 400


def test_a_name_that_is_not_unique(api: httpx.Client, trained: Trained) -> None:
    """The ids are told."""
    other = done(api, "/detectors", json={"name": "payments"})["id"]
    told = infer(api, "payments", tensors(rows()[:1]), 409)["error"]
    assert trained.detector_id in told
    assert other in told
    assert api.get("/v2/models/payments").status_code == 409
    infer(api, trained.detector_id, tensors(rows()[:1]))


def test_a_cookie_from_another_site(browser: httpx.Client, log_in: Any, worker: Any) -> None:
    """Is refused, as everywhere."""
    answer = browser.post(
        "/v2/models/x/infer", json={"inputs": []}, headers={"Origin": "https://evil.example"}
    )
    assert (answer.status_code, list(answer.json())) == (403, ["error"])


def test_a_key_that_reads_detectors_reads_models(api: httpx.Client, trained: Trained) -> None:
    """And one that makes detections infers; neither does what the other does."""
    keys = {}
    for scope in ("detectors:read", "detections:write"):
        made = done(api, "/auth/api-keys", json={"name": scope, "scopes": [scope]})
        keys[scope] = {"Authorization": f"Bearer {made['key']}"}
    body = {"inputs": tensors(rows()[:1])}
    for scope, headers in keys.items():
        reads = 200 if scope == "detectors:read" else 403
        for path in ("", "/models/payments", "/models/payments/ready", "/models/payments/versions/1/ready"):
            assert api.get(f"/v2{path}", headers=headers).status_code == reads
        infers = api.post("/v2/models/payments/infer", json=body, headers=headers).status_code
        assert infers == (200 if scope == "detections:write" else 403)


def test_monitors_are_not_counted(client: httpx.Client) -> None:
    """A probe never hears 429."""
    for path in ("live", "ready"):
        assert "ratelimit" not in client.get(f"/v2/health/{path}").headers


def test_a_body_of_another_kind(api: httpx.Client, trained: Trained) -> None:
    """It does not fit, which is 400 here."""
    kind = {"Content-Type": "text/plain"}
    answer = api.post("/v2/models/payments/infer", content=b'{"inputs": []}', headers=kind)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_it_is_described_with_its_own_errors(tmp_path: Path) -> None:
    """Under a tag of its own, and nothing of it has our problems."""
    schema = create_app(Settings(home=tmp_path)).openapi()
    described = [item for path, item in schema["paths"].items() if path.startswith("/v2")]
    assert len(described) == 9
    for operation in (one for item in described for one in item.values()):
        assert operation["tags"] == ["inference"]
        assert "422" not in operation["responses"]
        assert "problem" not in json.dumps(operation["responses"])
