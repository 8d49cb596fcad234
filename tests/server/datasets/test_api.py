"""The routes of datasets: filters, changes, types chosen later, downloads, quality, deletion."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest
from sqlalchemy import select

from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Database
from pynomaly.server.jobs.models import Job
from pynomaly.settings import Settings

API = "/api/v1"
WAIT = {"Prefer": "wait=30"}
CSV = "code,amount,=note\n" + "".join(
    f"{i % 4:03d},{(i * 7) % 23 - 11}.25,{'=1+1' if i % 9 == 0 else '-5' if i % 9 == 1 else 'ok'}\n"
    for i in range(90)
)
LogIn = Callable[..., httpx.Client]


def upload(api: httpx.Client, content: str = CSV, filename: str = "t.csv", **form: str) -> Any:
    """Upload a table and wait until it is read."""
    files = {"file": (filename, content.encode())}
    answer = api.post(f"{API}/datasets/upload", files=files, data=form, headers=WAIT)
    assert answer.status_code == 201, answer.text
    return answer.json()


def detect(api: httpx.Client, dataset: str) -> Any:
    """Find the anomalies of a dataset."""
    body = {"dataset_id": dataset, "algorithm": "isolation_forest"}
    answer = api.post(f"{API}/detection/detect", json=body, headers=WAIT)
    assert answer.status_code == 201, answer.text
    return answer.json()


def blobs(settings: Settings) -> list[str]:
    """Every stored file."""
    found = (settings.home / "blobs").rglob("*")
    return sorted(path.relative_to(settings.home / "blobs").as_posix() for path in found if path.is_file())


@pytest.mark.usefixtures("worker")
def test_lists_are_filtered_and_sorted(api: httpx.Client, database: Database) -> None:
    for name in ("Beta", "alpha_1", "alpha%2"):
        upload(api, name=name)

    def names(**asked: Any) -> list[str]:
        answer = api.get(f"{API}/datasets", params=asked)
        assert answer.status_code == 200, answer.text
        return [item["name"] for item in answer.json()["items"]]

    assert names() == ["alpha%2", "alpha_1", "Beta"]
    assert names(sort="created_at") == ["Beta", "alpha_1", "alpha%2"]
    assert names(name="ALPHA", sort="name") in (["alpha%2", "alpha_1"], ["alpha_1", "alpha%2"])
    assert names(name="%") == ["alpha%2"]
    assert names(name="_") == ["alpha_1"]
    assert names(status="failed") == []
    assert len(names(status="ready")) == 3
    with database.session() as session:
        times = sorted(session.scalars(select(Dataset.created_at)))
    assert names(since=times[1].isoformat(), until=times[2].isoformat()) == ["alpha_1"]
    for asked in ({"sort": "owner_id"}, {"status": "x"}, {"name": ""}, {"since": "x"}, {"colour": "red"}):
        assert api.get(f"{API}/datasets", params=asked).status_code == 422, asked
    assert api.get(f"{API}/datasets", params={"name": "\x00"}).status_code == 422


@pytest.mark.usefixtures("worker")
def test_changes_with_entity_tags(api: httpx.Client) -> None:
    dataset = upload(api, label_column=None or "")
    path = f"{API}/datasets/{dataset['id']}"
    got = api.get(path)
    assert (got.json()["access"], got.json()["description"], got.json()["types"]) == ("own", "", {})
    tag = got.headers["etag"]
    assert api.get(path, headers={"If-None-Match": tag}).status_code == 304
    changed = api.patch(path, json={"name": "N", "description": " d "}, headers={"If-Match": tag})
    assert (changed.status_code, changed.json()["name"], changed.json()["description"]) == (200, "N", "d")
    assert changed.headers["etag"] != tag
    stale = api.patch(path, json={"name": "M"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert api.get(path).json()["name"] == "N"
    assert api.get(path, params={"fields": "name,access"}).json() == {"name": "N", "access": "own"}
    for wrong in (
        {"name": ""}, {"name": "a\nb"}, {"name": None}, {"owner_id": "x"}, {"id": "x"}, {"status": "ready"},
        {"description": "x" * 10_001}, {"types": {"code": "constant"}}, {"types": {"nope": "number"}},
        {"types": ["code"]}, {"label_column": "nope"}, {"label_column": "amount"}, {"label_column": "code"},
    ):  # fmt: skip
        answer = api.patch(path, json=wrong)
        assert answer.status_code == 422, (wrong, answer.text)
    assert api.delete(path, headers={"If-Match": tag}).status_code == 412
    assert api.delete(path, headers={"If-Match": "*"}).status_code == 204
    assert api.get(path).status_code == 404


@pytest.mark.usefixtures("worker")
def test_of_two_writers_one_hears_that_the_other_was_first(api: httpx.Client) -> None:
    dataset = upload(api)
    path = f"{API}/datasets/{dataset['id']}"
    for turn in range(5):
        tag = api.get(path).headers["etag"]

        def write(name: str, tag: str = tag) -> int:
            return api.patch(path, json={"name": name}, headers={"If-Match": tag}).status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(write, [f"{turn} {i}" for i in range(4)]))
        assert statuses == [200, 412, 412, 412]


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_a_label_column_is_checked_by_what_was_measured(api: httpx.Client) -> None:
    lines = "a,y,z,w\n" + "".join(f"{i}.5,{i % 2},{'yes' if i % 5 else 'No'},{i % 3}\n" for i in range(60))
    path = f"{API}/datasets/{upload(api, lines)['id']}"
    for column in ("y", "z", None):
        assert api.patch(path, json={"label_column": column}).json()["label_column"] == column
    refused = api.patch(path, json={"label_column": "w"})
    assert (refused.status_code, refused.json()["code"]) == (422, "bad_label_column")


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_types_at_upload_and_later(api: httpx.Client, settings: Settings) -> None:
    """The file is read again; until that succeeds, the table stays as it was."""
    dataset = upload(api, types='{"code": "category"}')
    path = f"{API}/datasets/{dataset['id']}"
    kinds = {column["name"]: column["type"] for column in dataset["columns"]}
    assert (kinds["code"], kinds["amount"], dataset["types"]) == ("category", "number", {"code": "category"})
    assert api.get(f"{path}/rows", params={"limit": 1}).json()["items"][0]["values"]["code"] == "000"
    before = blobs(settings)
    again = api.patch(path, json={"types": {"amount": "category"}}, headers=WAIT)
    assert again.status_code == 200, again.text
    kinds = {column["name"]: column["type"] for column in again.json()["columns"]}
    assert (kinds["code"], kinds["amount"]) == ("number", "category")
    assert again.json()["types"] == {"amount": "category"}
    after = blobs(settings)
    assert len(after) == len(before) == 2
    assert after != before
    same = api.patch(path, json={"types": {"amount": "category"}})
    assert (same.status_code, same.json()["status"]) == (200, "ready")
    failed = api.patch(path, json={"types": {"=note": "number"}}, headers=WAIT)
    assert (failed.status_code, failed.json()["code"]) == (422, "too_many_bad_rows")
    kept = api.get(path).json()
    assert (kept["status"], kept["types"], kept["error_code"]) == (
        "ready", {"amount": "category"}, "too_many_bad_rows",
    )  # fmt: skip
    assert blobs(settings) == after
    assert api.get(f"{path}/rows").status_code == 200


@pytest.mark.any_database
@pytest.mark.parametrize("types", ["[]", "{", '{"a": "float"}', '{"a": 1}', '{"": "text"}', "[" * 60_000])
def test_types_that_are_none(api: httpx.Client, types: str) -> None:
    files = {"file": ("t.csv", CSV.encode())}
    answer = api.post(f"{API}/datasets/upload", files=files, data={"types": types})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_value")


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_rejected_cells_of_a_chosen_type_are_told(api: httpx.Client) -> None:
    lines = "n,x\n" + "".join(f"{'bad' if i == 70 else i % 50},{i % 7}.5\n" for i in range(200))
    dataset = upload(api, lines, types='{"n": "number"}')
    assert dataset["rejects"] == [{"line": 72, "column": "n", "value": "bad", "reason": "not a number"}]
    assert (dataset["n_rejected"], dataset["n_rows"]) == (1, 199)


def test_while_a_job_works_with_it(api: httpx.Client, database: Database) -> None:
    """No worker runs here: the dataset is being read for ever."""
    answer = api.post(f"{API}/datasets/upload", files={"file": ("t.csv", CSV.encode())})
    path = f"{API}/datasets/{answer.json()['id']}"
    for refused in (
        api.delete(path),
        api.patch(path, json={"types": {"code": "text"}}),
        api.patch(path, json={"label_column": "code"}),
        api.get(f"{path}/profile"),
        api.get(f"{path}/quality"),
        api.get(f"{path}/download", params={"format": "csv"}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "not_ready"), refused.text
    assert api.get(f"{path}/download").content == CSV.encode()
    with database.session() as session:
        dataset = session.get_one(Dataset, answer.json()["id"])
        dataset.status = "ready"
        session.add(Job(kind="detector.train", payload={"dataset_id": dataset.id}, status="running"))
    refused = api.delete(path)
    assert (refused.status_code, refused.json()["details"]) == (409, {"jobs": 1})


@pytest.mark.usefixtures("worker")
def test_deleting_takes_results_only_when_told_to(
    api: httpx.Client, settings: Settings, database: Database
) -> None:
    dataset = upload(api)
    path = f"{API}/datasets/{dataset['id']}"
    results = [detect(api, dataset["id"])["id"] for _ in range(2)]
    for refused in (api.delete(path), api.patch(path, json={"types": {"code": "category"}})):
        assert refused.status_code == 409
        assert refused.json()["details"] == {"results": 2}
        assert "2 results depend on 't'" in refused.json()["detail"]
    assert len(blobs(settings)) == 6
    assert api.delete(path, params={"cascade": True}).status_code == 204
    assert blobs(settings) == []
    for id_ in results:
        assert api.get(f"{API}/detection/results/{id_}").status_code == 404
    with database.session() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "dataset.delete"))
        assert (entry.target_id, entry.target_name, entry.details) == (dataset["id"], "t", {"results": 2})


@pytest.mark.usefixtures("worker")
def test_reading_again_takes_the_results_when_told_to(api: httpx.Client) -> None:
    dataset = upload(api)
    detect(api, dataset["id"])
    path = f"{API}/datasets/{dataset['id']}"
    changed = api.patch(path, params={"cascade": True}, json={"types": {"code": "category"}}, headers=WAIT)
    assert changed.status_code == 200, changed.text
    assert api.get(f"{API}/detection/results").json()["items"] == []


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_what_was_uploaded_comes_back(api: httpx.Client, database: Database) -> None:
    dataset = upload(api, filename="my “t”.csv")
    path = f"{API}/datasets/{dataset['id']}/download"
    whole = api.get(path)
    assert (whole.content, whole.headers["content-type"]) == (CSV.encode(), "text/csv; charset=utf-8")
    assert whole.headers["content-disposition"].startswith("attachment; filename*=UTF-8''my%20")
    assert (whole.headers["content-length"], whole.headers["accept-ranges"]) == (str(len(CSV)), "bytes")
    part = api.get(path, headers={"Range": "bytes=5-9", "Accept-Encoding": "identity"})
    assert (part.status_code, part.content) == (206, CSV.encode()[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(CSV)}"
    assert api.get(path, headers={"Range": "bytes=-4"}).content == CSV.encode()[-4:]
    for odd in ("bytes=0-1,3-4", "rows=1-2", "bytes=9-5", "bytes=" + ",".join(["0-1"] * 10_000), "bytes=x-"):
        answer = api.get(path, headers={"Range": odd})
        assert (answer.status_code, answer.content) == (200, CSV.encode()), odd[:20]
    beyond = api.get(path, headers={"Range": f"bytes={len(CSV)}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "bad_range")
    with database.session() as session:
        session.get_one(Dataset, dataset["id"]).source_key = None
    assert api.get(path).status_code == 409
    again = api.patch(f"{API}/datasets/{dataset['id']}", json={"types": {"code": "text"}})
    assert (again.status_code, "upload it again" in again.json()["detail"]) == (409, True)


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_tables_as_files(api: httpx.Client, tmp_path: Path, settings: Settings) -> None:
    """What a spreadsheet would run is defused, names included; negative numbers stay."""
    lines = CSV.replace("code,", "Amount,", 1)
    dataset = upload(api, lines, name="a/b")
    path = f"{API}/datasets/{dataset['id']}/download"
    made = api.get(path, params={"format": "csv"})
    assert made.headers["content-type"] == "text/csv; charset=utf-8"
    assert made.headers["content-disposition"] == "attachment; filename*=UTF-8''a-b.csv"
    assert int(made.headers["content-length"]) == len(made.content)
    head, first, second, third, *_ = made.text.splitlines()
    assert head == "Amount,amount_2,'=note"
    assert (first, second, third) == ("0,-11.25,'=1+1", "1,-4.25,-5", "2,3.25,ok")
    made = api.get(path, params={"format": "parquet"})
    (tmp_path / "t.parquet").write_bytes(made.content)
    with duckdb.connect() as connection:
        found = connection.execute(f"FROM '{tmp_path / 't.parquet'}' LIMIT 1").fetchall()
        names = [row[0] for row in connection.execute(f"DESCRIBE FROM '{tmp_path / 't.parquet'}'").fetchall()]
    assert (found, names) == ([(0, -11.25, "=1+1")], ["Amount", "amount_2", "=note"])
    assert api.get(path, params={"format": "xlsx"}).status_code == 422
    assert not [path for path in (settings.home / "tmp").iterdir() if path.name != "jobs"]


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_profile_and_quality(api: httpx.Client) -> None:
    lines = "id,gone,same,mixed,part,far\n" + "".join(
        f"k{i},,7,{'x' if i % 2 else i % 6},{'' if i % 3 else i},{1e6 if i == 5 else i % 10}\n"
        for i in range(120)
    )
    dataset = upload(api, lines)
    path = f"{API}/datasets/{dataset['id']}"
    profile = api.get(f"{path}/profile")
    assert profile.json()["columns"] == dataset["columns"]
    assert profile.headers["etag"]
    found = api.get(f"{path}/quality").json()
    assert 0 < found["completeness"] < 0.8
    told = {(one["kind"], one["column"]): one["severity"] for one in found["findings"]}
    assert told == {
        ("constant", "gone"): "serious",
        ("missing", "part"): "serious",
        ("constant", "same"): "warning",
        ("mixed", "mixed"): "warning",
        ("identifier", "id"): "info",
        ("far_values", "far"): "info",
    }
    order = ["serious", "warning", "info"]
    severities = [order.index(one["severity"]) for one in found["findings"]]
    assert severities == sorted(severities)
    assert all(one["detail"].endswith(".") and one["suggestion"] for one in found["findings"])
    assert api.get(f"{path}/quality", params={"fields": "completeness"}).json().keys() == {"completeness"}


@pytest.mark.usefixtures("worker")
def test_a_repeated_upload_is_done_once(api: httpx.Client) -> None:
    sent = {"Idempotency-Key": "k1", **WAIT}
    files = {"file": ("t.csv", CSV.encode())}
    first = api.post(f"{API}/datasets/upload", files=files, headers=sent)
    second = api.post(f"{API}/datasets/upload", files=files, headers=sent)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    assert len(api.get(f"{API}/datasets").json()["items"]) == 1


def test_strangers_and_viewers(log_in: LogIn, api: httpx.Client) -> None:
    answer = api.post(f"{API}/datasets/upload", files={"file": ("t.csv", CSV.encode())})
    path = f"{API}/datasets/{answer.json()['id']}"
    eve, vera = log_in("eve@example.org"), log_in("vera@example.org", "viewer")
    for client in (eve, vera):
        for tail in ("", "/profile", "/quality", "/rows", "/download", "/shares"):
            assert client.get(path + tail).status_code == 404, tail
    assert eve.patch(path, json={"name": "x"}).status_code == 404
    assert eve.delete(path).status_code == 404
    assert vera.patch(path, json={"name": "x"}).status_code == 403
    assert vera.delete(path).status_code == 403


def test_json_of_types_is_closed(api: httpx.Client) -> None:
    schemas = api.get(f"{API}/openapi.json").json()["components"]["schemas"]
    assert "constant" not in json.dumps(schemas["DatasetPatch"])
    assert {"owner_id", "access", "description"} <= schemas["DatasetLine"]["properties"].keys()
