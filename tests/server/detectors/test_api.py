"""The routes of detectors: filters, changes with entity tags, versions, aliases, thresholds, deletion."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select

from pynomaly.library import Detector as Trained
from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.db import Database
from pynomaly.server.detectors.models import Activation, Detector, Model
from pynomaly.server.detectors.tasks import model_key
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings

API = "/api/v1"
WAIT = {"Prefer": "wait=30"}
CSV = "a,b,c,y\n" + "".join(
    f"{i % 13}.5,{(i * 7) % 11}.25,{900 if i in (5, 50) else i % 5}.75,{int(i in (5, 50))}\n"
    for i in range(120)
)
LogIn = Callable[..., httpx.Client]


def dataset(api: httpx.Client, content: str = CSV, **form: str) -> str:
    """Upload a table and wait until it is read; its id."""
    files = {"file": ("t.csv", content.encode())}
    answer = api.post(f"{API}/datasets/upload", files=files, data=form, headers=WAIT)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def define(api: httpx.Client, **definition: Any) -> str:
    """Define a detector; its address."""
    body = {"name": "d", "algorithm": "isolation_forest"} | definition
    answer = api.post(f"{API}/detectors", json=body)
    assert answer.status_code == 201, answer.text
    return f"{API}/detectors/{answer.json()['id']}"


def train(api: httpx.Client, path: str, dataset_id: str) -> Any:
    """Train a detector and wait until it is done."""
    answer = api.post(f"{path}/train", json={"dataset_id": dataset_id}, headers=WAIT)
    assert answer.status_code == 200, answer.text
    return answer.json()


def in_use(api: httpx.Client, path: str) -> int | None:
    """The version in use."""
    model = api.get(path).json()["model"]
    return model["version"] if model else None


def acts(database: Database) -> list[tuple[str, Any]]:
    """What the audit log says was done to detectors, in order."""
    with database.session() as session:
        found = select(AuditEntry).where(AuditEntry.action.startswith("detector.")).order_by(AuditEntry.at)
        return [(entry.action, entry.details) for entry in session.scalars(found)]


def test_lists_are_filtered_and_sorted(api: httpx.Client) -> None:
    for name, algorithm in (("Beta", "hbos"), ("alpha", "hbos"), ("gamma", "knn")):
        define(api, name=name, algorithm=algorithm)

    def names(**asked: Any) -> list[str]:
        return [item["name"] for item in api.get(f"{API}/detectors", params=asked).json()["items"]]

    assert names() == ["gamma", "alpha", "Beta"]
    assert names(algorithm="hbos", sort="created_at") == ["Beta", "alpha"]
    assert names(name="AL") == ["alpha"]
    assert (names(status="trained"), len(names(status="untrained"))) == ([], 3)
    first = api.get(f"{API}/detectors", params={"limit": 2, "sort": "created_at"}).json()
    assert names(sort="created_at", cursor=first["next_cursor"]) == ["gamma"]
    for asked in ({"sort": "seed"}, {"status": "x"}, {"algorithm": "a b"}, {"owner_id": "x"}, {"name": ""}):
        assert api.get(f"{API}/detectors", params=asked).status_code == 422, asked


def test_partial_changes(api: httpx.Client) -> None:
    path = define(api, parameters={"n_trees": 50}, fdr=0.1, description="first")
    tag = api.get(path).headers["etag"]
    changed = api.patch(path, json={"parameters": {"extended": True}}, headers={"If-Match": tag})
    assert changed.status_code == 200, changed.text
    found = changed.json()
    assert (found["parameters"]["n_trees"], found["parameters"]["extended"]) == (50, True)
    assert (found["fdr"], found["contamination"], found["description"]) == (0.1, None, "first")
    assert api.patch(path, json={"name": "x"}, headers={"If-Match": tag}).status_code == 412
    assert api.put(path, json={"name": "x"}, headers={"If-Match": tag}).status_code == 412
    assert api.delete(path, headers={"If-Match": tag}).status_code == 412
    found = api.patch(path, json={"max_alerts": 3, "columns": ["a"], "seed": 4}).json()
    assert (found["max_alerts"], found["fdr"], found["columns"], found["seed"]) == (3, None, ["a"], 4)
    found = api.patch(path, json={"algorithm": "hbos", "columns": None}).json()
    assert (found["algorithm"], found["columns"], found["max_alerts"]) == ("hbos", None, 3)
    assert "n_trees" not in found["parameters"]
    for wrong in (
        {"name": None}, {"name": ""}, {"algorithm": "nope"}, {"parameters": {"n_trees": 5}}, {"seed": -1},
        {"owner_id": "x"}, {"model_id": "x"}, {"status": "trained"}, {"threshold": 1.0}, {"columns": []},
        {"fdr": 0.1, "max_alerts": 2}, {"columns": ["a", "a"]},
    ):  # fmt: skip
        assert api.patch(path, json=wrong).status_code == 422, wrong


def test_of_two_writers_one_hears_that_the_other_was_first(api: httpx.Client) -> None:
    path = define(api)
    for turn in range(5):
        tag = api.get(path).headers["etag"]

        def write(name: str, tag: str = tag) -> int:
            return api.patch(path, json={"name": name}, headers={"If-Match": tag}).status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(write, [f"{turn} {i}" for i in range(4)]))
        assert statuses == [200, 412, 412, 412]


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_training_tells_what_it_took_and_reached(api: httpx.Client) -> None:
    path = define(api, columns=["a", "b", "c"])
    metrics = train(api, path, dataset(api, label_column="y"))["model"]["metrics"]
    assert metrics["rows"] == 120
    assert 0 < metrics["seconds"] < 60
    assert metrics["bytes"] > 1000
    assert metrics["auc_roc"] == metrics["average_precision"] == 1.0
    metrics = train(api, define(api), dataset(api))["model"]["metrics"]
    assert set(metrics) == {"rows", "seconds", "bytes"}


@pytest.mark.usefixtures("worker")
def test_versions_are_put_into_use_and_rolled_back(api: httpx.Client, database: Database) -> None:
    """With a version comes the definition that it was trained by; rolling back goes step by step."""
    table = dataset(api)
    path = define(api, parameters={"n_trees": 20})
    assert api.post(f"{path}/rollback").status_code == 409
    assert api.get(f"{path}/versions/production").status_code == 409
    train(api, path, table)
    assert api.post(f"{path}/rollback").status_code == 409
    api.patch(path, json={"parameters": {"n_trees": 30}, "columns": ["a", "b"], "seed": 7})
    assert in_use(api, path) is None
    train(api, path, table)
    train(api, path, table)
    listed = api.get(f"{path}/versions").json()["items"]
    assert [(one["version"], one["active"], one["aliases"]) for one in listed] == [
        (3, True, ["production"]), (2, False, []), (1, False, []),
    ]  # fmt: skip
    tag = api.get(path).headers["etag"]
    activated = api.post(f"{path}/versions/1/activate", headers={"If-Match": tag})
    assert activated.status_code == 200, activated.text
    found = activated.json()
    assert (found["model"]["version"], found["parameters"]["n_trees"], found["columns"], found["seed"]) == (
        1, 20, None, 0,
    )  # fmt: skip
    assert api.post(f"{path}/versions/1/activate", headers={"If-Match": tag}).status_code == 412
    assert api.post(f"{path}/versions/1/activate").status_code == 200
    once = {"Idempotency-Key": "a retry does not go back twice"}
    back, again = (api.post(f"{path}/rollback", headers=once) for _ in range(2))
    assert again.headers["idempotency-replayed"] == "true"
    assert again.content == back.content
    back = back.json()
    assert (back["model"]["version"], back["parameters"]["n_trees"], back["columns"]) == (3, 30, ["a", "b"])
    assert (back["seed"], back["status"]) == (7, "trained")
    assert [api.post(f"{path}/rollback").json()["model"]["version"] for _ in range(2)] == [2, 1]
    refused = api.post(f"{path}/rollback")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    for missing in ("4", "0", "staging", "-1", "1.0", "9" * 30):
        assert api.get(f"{path}/versions/{missing}").status_code == 404, missing
        assert api.post(f"{path}/versions/{missing}/activate").status_code == 404
    assert acts(database) == [
        ("detector.activate", {"version": 1}),
        *[("detector.rollback", {"version": version}) for version in (3, 2, 1)],
    ]
    assert api.get(f"{path}/versions/2").headers["etag"]
    assert api.get(f"{path}/versions", params={"limit": 1, "fields": "version"}).json()["items"] == [
        {"version": 3}
    ]


@pytest.mark.usefixtures("worker")
def test_versions_from_before_activations_were_noted(api: httpx.Client, database: Database) -> None:
    table, path = dataset(api), define(api)
    train(api, path, table)
    with database.session() as session:
        session.execute(delete(Activation))
    train(api, path, table)
    assert api.post(f"{path}/rollback").json()["model"]["version"] == 1


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_aliases(api: httpx.Client, database: Database) -> None:
    table, path = dataset(api), define(api)
    assert api.get(f"{path}/aliases").json()["items"] == []
    for _ in range(2):
        train(api, path, table)
    named = api.put(f"{path}/aliases/staging", json={"version": 1})
    assert (named.status_code, named.json()["version"]) == (200, 1)
    assert api.put(f"{path}/aliases/staging", json={"version": "production"}).json()["version"] == 2
    assert api.put(f"{path}/aliases/old", json={"version": 1}).status_code == 200
    found = [(one["alias"], one["version"]) for one in api.get(f"{path}/aliases").json()["items"]]
    assert found == [("production", 2), ("old", 1), ("staging", 2)]
    assert api.get(f"{path}/versions/old").json()["version"] == 1
    assert api.get(f"{path}/versions/2").json()["aliases"] == ["production", "staging"]
    assert api.get(f"{path}/aliases/old").headers["etag"]
    assert api.put(f"{path}/aliases/production", json={"version": "old"}).json()["version"] == 1
    assert in_use(api, path) == 1
    assert api.delete(f"{path}/aliases/production").status_code == 409
    for _ in range(2):
        assert api.delete(f"{path}/aliases/old").status_code == 204
    assert api.get(f"{path}/aliases/old").status_code == 404
    for name in ("1", "Big", "-x", "a b", "x" * 65, "é"):
        assert api.put(f"{path}/aliases/{name}", json={"version": 1}).status_code == 422, name
    assert api.put(f"{path}/aliases/x", json={"version": 9}).status_code == 404
    assert ("detector.alias", {"alias": "staging", "version": 1}) in acts(database)


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_two_versions_side_by_side(api: httpx.Client) -> None:
    path = define(api, parameters={"n_trees": 20})
    first, second = dataset(api), dataset(api, CSV.replace("900", "700"))
    train(api, path, first)
    api.patch(path, json={"parameters": {"n_trees": 40}, "columns": ["a", "c"]})
    train(api, path, second)
    found = api.get(f"{path}/compare", params={"versions": "1,production"}).json()
    assert (found["before"]["version"], found["after"]["version"]) == (1, 2)
    told = {one["name"]: (one["before"], one["after"]) for one in found["definition"]}
    assert told == {
        "parameters.n_trees": (20, 40),
        "columns": (None, ["a", "c"]),
        "dataset_id": (first, second),
    }
    columns = {one["name"]: (one["before"], one["after"]) for one in found["columns"]}
    assert columns == {"b": ("number", None), "y": ("number", None)}
    assert "threshold" in {one["name"] for one in found["outcome"]}
    same = api.get(f"{path}/compare", params={"versions": "2,2"}).json()
    assert same["definition"] == same["columns"] == same["outcome"] == []
    for odd in ("1", "1,2,1", "", ","):
        assert api.get(f"{path}/compare", params={"versions": odd}).status_code in (404, 422), odd
    assert api.get(f"{path}/compare").status_code == 422


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_the_threshold_is_moved_without_training(
    api: httpx.Client, settings: Settings, database: Database
) -> None:
    """What is answered is what the library would say of the same file, to the last bit."""
    table, path = dataset(api), define(api)
    refused = api.put(f"{path}/threshold", json={"fdr": 0.1})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_ready")
    train(api, path, table)
    with database.session() as session:
        [model] = session.scalars(select(Model))
    data = LocalStorage(settings.home).path(model.blob_key).read_bytes()
    trained = Trained.from_bytes(data, model_key(settings), require_signature=True)
    for ways in (
        {"contamination": 0.1}, {"contamination": "auto"}, {"max_alerts": 4}, {"fdr": 0.2}, {"quantile": 0.9},
    ):  # fmt: skip
        answer = api.put(f"{path}/threshold", json=ways)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["threshold"] == trained.set_threshold(**ways).threshold
        assert 0 <= found["flagged_share"] <= 0.5
        now = api.get(path).json()
        [(way, value)] = ways.items()
        assert (now[way], now["threshold"], found[way]) == (value, None, value)
    by_hand = api.put(f"{path}/threshold", json={"threshold": 0.61}).json()
    assert by_hand["threshold"] == 0.61
    now = api.get(path).json()
    assert (now["threshold"], now["status"]) == (0.61, "trained")
    assert {now[way] for way in ("contamination", "max_alerts", "fdr", "quantile")} == {None}
    body = {"dataset_id": table, "detector_id": now["id"]}
    result = api.post(f"{API}/detection/detect", json=body, headers=WAIT).json()
    assert result["threshold"] == 0.61
    assert acts(database)[-1] == ("detector.threshold", {"version": 1, "threshold": 0.61})
    train(api, path, table)
    now = api.get(path).json()
    assert (now["threshold"], now["quantile"]) == (None, 0.9)
    tag = api.get(path).headers["etag"]
    assert api.put(f"{path}/threshold", json={"fdr": 0.1}, headers={"If-Match": tag}).status_code == 200
    assert api.put(f"{path}/threshold", json={"fdr": 0.2}, headers={"If-Match": tag}).status_code == 412
    for wrong in ({}, {"fdr": 0.1, "threshold": 1}, {"fdr": 0.9}, {"threshold": "x"}, {"score": 1}):
        assert api.put(f"{path}/threshold", json=wrong).status_code == 422, wrong


@pytest.mark.usefixtures("worker")
def test_deleting(api: httpx.Client, settings: Settings, database: Database) -> None:
    table, path = dataset(api), define(api)
    for _ in range(2):
        train(api, path, table)
    api.put(f"{path}/aliases/old", json={"version": 1})
    body = {"dataset_id": table, "detector_id": path.rpartition("/")[2]}
    assert api.post(f"{API}/detection/detect", json=body, headers=WAIT).status_code == 201
    refused = api.delete(path)
    assert (refused.status_code, refused.json()["details"]) == (409, {"results": 1})
    assert api.delete(path, params={"cascade": True}).status_code == 204
    assert api.get(path).status_code == 404
    assert api.get(f"{API}/detection/results").json()["items"] == []
    left = [path.parent.name for path in (settings.home / "blobs").rglob("*") if path.is_file()]
    assert "models" not in left
    assert "results" not in left
    assert acts(database)[-1] == ("detector.delete", {"results": 1, "versions": 2})


@pytest.mark.usefixtures("worker")
def test_while_it_is_being_trained(api: httpx.Client, database: Database) -> None:
    """For the second time: the first version is in use meanwhile."""
    path = define(api)
    train(api, path, dataset(api))
    with database.session() as session:
        session.get_one(Detector, path.rpartition("/")[2]).status = "training"
    for answer in (
        api.delete(path),
        api.post(f"{path}/rollback"),
        api.post(f"{path}/versions/1/activate"),
        api.put(f"{path}/threshold", json={"fdr": 0.1}),
        api.patch(path, json={"seed": 3}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "not_ready"), answer.text
    assert api.patch(path, json={"name": "n"}).status_code == 200


def test_a_repeated_definition_is_made_once(api: httpx.Client) -> None:
    sent = {"Idempotency-Key": "one"}
    first = api.post(f"{API}/detectors", json={"name": "d"}, headers=sent)
    second = api.post(f"{API}/detectors", json={"name": "d"}, headers=sent)
    assert first.json() == second.json()
    assert len(api.get(f"{API}/detectors").json()["items"]) == 1


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_who_may_what(api: httpx.Client, log_in: LogIn) -> None:
    """Strangers hear 404, who may look 403 for what changes something, and viewers 403 before all else."""
    table, path = dataset(api), define(api)
    train(api, path, table)
    eve, vera = log_in("eve@example.org"), log_in("vera@example.org", "viewer")
    looks = ["", "/versions", "/versions/1", "/compare?versions=1,1", "/aliases", "/aliases/production"]
    own = [
        ("POST", "/versions/1/activate", None),
        ("POST", "/rollback", None),
        ("PUT", "/aliases/x", {"version": 1}),
        ("DELETE", "/aliases/x", None),
        ("PUT", "/threshold", {"fdr": 0.1}),
        ("PATCH", "", {"name": "x"}),
        ("PUT", "", {"name": "x"}),
        ("DELETE", "", None),
    ]
    for client in (eve, vera):
        assert {client.get(path + tail).status_code for tail in [*looks, "/bundle"]} == {404}
    assert {eve.request(method, path + tail, json=body).status_code for method, tail, body in own} == {404}
    for everyone in ("view", "use"):
        api.put(f"{path}/shares", json={"everyone": True, "access": everyone})
        for client in (eve, vera):
            assert {client.get(path + tail).status_code for tail in looks} == {200}
            assert client.get(f"{path}/bundle").status_code == 403
            for method, tail, body in own:
                assert client.request(method, path + tail, json=body).status_code == 403, (method, tail)
