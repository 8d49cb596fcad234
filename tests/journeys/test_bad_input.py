"""Bad input over HTTP: each case gives its own error, nothing half-written stays, the server stays up."""

import gzip
import io
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from backports import zstd

from pynomaly.server.db import Database
from pynomaly.server.tasks import keys_in_use

pytestmark = pytest.mark.any_database


def parquet(columns: dict[str, Any]) -> bytes:
    """Write a Parquet file as other programs do."""
    import pyarrow
    import pyarrow.parquet

    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    return sink.getvalue()


def csv(*lines: str) -> bytes:
    """Join lines."""
    return "\n".join(lines).encode() + b"\n"


def rows(n: int) -> list[str]:
    """Two columns of numbers."""
    return ["a,b", *(f"{i % 17}.5,{i % 11}.25" for i in range(n))]


def parquet_bomb() -> bytes:
    """A few KB that become 64 MB."""
    import pyarrow

    column = pyarrow.array([0.5]).take(pyarrow.array([0] * 8_000_000, pyarrow.int32()))
    return parquet({"a": column, "b": column})


FILES: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty file": (lambda: b"", "t.csv", "table_empty"),
    "header only": (lambda: b"a,b\n", "t.csv", "table_empty"),
    "10,000 columns": (
        lambda: csv(",".join(f"c{i}" for i in range(10_000)), ",".join(["1"] * 10_000)),
        "t.csv",
        "bad_columns",
    ),
    "duplicate columns": (lambda: csv("a,a", "1,2", "3,4"), "t.csv", "bad_columns"),
    "empty column name": (lambda: csv("a,", "1,2", "3,4"), "t.csv", "bad_columns"),
    "ragged rows": (lambda: csv("a,b", *["1,2,3", "1"] * 50), "t.csv", "too_many_bad_rows"),
    "NUL bytes": (lambda: b"a,b\n1,\x00\x002\n" * 20, "t.csv", ""),
    "noise": (lambda: os.urandom(20_000), "t.csv", ""),
    "text named .parquet": (lambda: b"PAR1 but not really", "t.parquet", ""),
    "truncated gzip": (lambda: gzip.compress(csv(*rows(3000)))[:-200], "t.csv.gz", "corrupt_file"),
    "truncated zstd": (lambda: zstd.compress(csv(*rows(3000)))[:-50], "t.csv.zst", "corrupt_file"),
    "truncated parquet": (lambda: parquet({"a": list(range(999))})[:-20], "t.parquet", "corrupt_file"),
    "gzip bomb": (lambda: gzip.compress(b"a,b\n" + b"1,2\n" * 20_000_000), "t.csv.gz", "table_too_large"),
    "parquet bomb": (parquet_bomb, "t.parquet", "table_too_large"),
    "huge cell": (lambda: csv(*rows(30), "1," + "9" * 40_000_000, "1,2"), "t.csv", ""),
    "infinity": (lambda: csv(*rows(50), *["inf,1"] * 10), "t.csv", ""),
    "beyond float": (lambda: csv(*rows(50), *["1e999,1"] * 10), "t.csv", ""),
    "broken JSON": (lambda: b'[{"a": 1}, {"a":', "t.json", ""),
}
"""File, name, expected code ("": any of the table errors)."""


@pytest.fixture(autouse=True)
def nothing_left(installation: Any) -> Iterator[None]:
    """After each case the server answers, and every stored file is one that a row names."""
    yield
    assert installation.process.poll() is None
    assert httpx.get(f"{installation.url}/health/ready").status_code == 200
    deadline = time.monotonic() + 10
    while (found := unnamed(installation)) and time.monotonic() < deadline:
        time.sleep(0.05)  # an attempt's folder goes just after its job has ended
    assert not found


def unnamed(installation: Any) -> list[str]:
    """Stored files that no row names, and temporary ones."""
    database = Database(installation.settings)
    with database.session(write=False) as session:
        named = {f"blobs/{key}" for key in keys_in_use(session)}
    database.close()
    return [path for path in installation.files() if path not in named]


@pytest.mark.parametrize("case", FILES)
def test_bad_file(ada: Any, case: str) -> None:
    """A file that cannot be used gives 4xx with its code, and a failed dataset that says the same."""
    content, filename, code = FILES[case]
    n_before = len(ada.every("/datasets", limit=200))
    answer = ada.http.post(
        "/api/v1/datasets/upload", files={"file": (filename, content())}, headers={"Prefer": "wait=30"}
    )
    problem = answer.json()
    assert answer.status_code in (413, 422), problem
    assert problem["code"] == code or not code
    assert len(problem["detail"]) > 15
    if content():
        failed = ada.get(f"/datasets/{problem['details']['id']}")
        assert (failed["status"], failed["error_code"]) == ("failed", problem["code"])
        assert failed["error_detail"] == problem["detail"]
        assert ada.get(f"/jobs/{failed['job_id']}")["status"] == "failed"
        ada.get(f"/datasets/{failed['id']}/rows", 409)
        assert ada.post("/detection/detect", 409, {"dataset_id": failed["id"]})["code"] == "not_ready"
    else:
        assert len(ada.every("/datasets", limit=200)) == n_before


def test_a_file_without_waiting(ada: Any) -> None:
    """The failure is told by the dataset when nobody waits for it."""
    begun = ada.upload(b"a,a\n1,2\n", status=202, wait=0)
    failed = ada.ended(f"/datasets/{begun['id']}", ("processing",))
    assert (failed["status"], failed["error_code"], failed["n_rows"]) == ("failed", "bad_columns", None)


@pytest.mark.parametrize(
    ("label", "content"),
    [
        ("missing", csv("a,b,y", *[f"{i},{i % 7},{i % 2}" for i in range(20)])),
        ("y", csv("a,b,y", *[f"{i},{i % 7},{i % 3}" for i in range(20)])),
        ("y", csv("a,b,y", *[f"{i},{i % 7},maybe" for i in range(20)])),
        ("y", csv("a,b,y", *[f"{i},{i % 7}," for i in range(20)])),
    ],
)
def test_bad_label_column(ada: Any, label: str, content: bytes) -> None:
    """A label column that is missing or not binary."""
    assert ada.upload(content, status=422, label_column=label)["code"] == "bad_label_column"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (csv("a,b", "1,2"), "too_few_rows"),
        (csv("a,b", *["1,2"] * 30), "no_usable_columns"),
        (csv("a,b", *[","] * 30), ""),
    ],
)
def test_tables_that_load_but_cannot_be_searched(ada: Any, content: bytes, code: str) -> None:
    """One row, all constant, all missing: detection says why not."""
    answer = ada.http.post(
        "/api/v1/datasets/upload", files={"file": ("t.csv", content)}, headers={"Prefer": "wait=30"}
    )
    if answer.status_code == 422:
        assert not code, answer.text
        return
    assert answer.status_code == 201
    body = {"dataset_id": answer.json()["id"]}
    problem = ada.post("/detection/detect", 422, body, wait=30)
    assert problem["code"] == code or not code


def test_one_column_is_enough(ada: Any) -> None:
    """One column of numbers can be searched."""
    dataset = ada.upload(csv("a", *[f"{(i * 7) % 23}.5" for i in range(60)]))
    assert ada.post("/detection/detect", 201, {"dataset_id": dataset["id"]}, wait=30)["n_rows"] == 60


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"algorithm": "isolation_florest"}, "unknown_algorithm"),
        ({"algorithm": ""}, "unknown_algorithm"),
        ({"parameters": {"n_trees": "many"}}, "bad_parameter"),
        ({"parameters": {"n_trees": 0}}, "bad_parameter"),
        ({"parameters": {"n_trees": 1.5}}, "bad_parameter"),
        ({"parameters": {"n_trees": [1]}}, "bad_parameter"),
        ({"parameters": {"n_tree": 10}}, "bad_parameter"),
        ({"parameters": {"max_features": 0}}, "bad_parameter"),
        ({"contamination": 0}, "bad_parameter"),
        ({"contamination": 0.51}, "bad_parameter"),
        ({"contamination": -0.1}, "bad_parameter"),
        ({"contamination": "some"}, "invalid_request"),
        ({"contamination": True}, ""),
        ({"seed": -1}, "invalid_request"),
        ({"seed": 2**32}, "invalid_request"),
        ({"columns": []}, "bad_value"),
        ({"columns": ["amount", "amount"]}, "bad_value"),
        ({"columns": [""]}, "bad_value"),
        ({"columns": "amount"}, "invalid_request"),
        ({"parameters": []}, "invalid_request"),
        ({"no_such_field": 1}, "invalid_request"),
    ],
)
def test_bad_recipe(ada: Any, dataset: Any, change: dict[str, Any], code: str) -> None:
    """A detector or a detection that makes no sense is refused at once, and nothing is stored."""
    before = len(ada.every("/detectors", limit=200)), len(ada.every("/detection/results", limit=200))
    for path, body in (("/detectors", {"name": "d"}), ("/detection/detect", {"dataset_id": dataset["id"]})):
        problem = ada.post(path, 422, {**body, **change})
        assert problem["code"] == code or not code
        assert len(problem["detail"]) > 15
    after = len(ada.every("/detectors", limit=200)), len(ada.every("/detection/results", limit=200))
    assert before == after


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb", "a\x1bb"])
def test_bad_name(ada: Any, name: str) -> None:
    """Names are short and plain."""
    assert ada.post("/detectors", 422, {"name": name})["code"] == "bad_value"


@pytest.mark.parametrize("columns", [["amount", "nope"], ["is_fraud"]])
def test_columns_that_cannot_be_used(ada: Any, dataset: Any, columns: list[str]) -> None:
    """Unknown columns, or the labels themselves."""
    problem = ada.post("/detection/detect", 422, {"dataset_id": dataset["id"], "columns": columns})
    assert problem["code"] == "schema_mismatch"
    assert columns[-1] in problem["detail"]


def test_a_detector_on_a_table_of_another_shape(ada: Any, dataset: Any) -> None:
    """Missing columns are refused at once by name; a column of another type fails the run by name."""
    detector = ada.post("/detectors", 201, {"name": "n", "columns": ["amount", "age"]})
    ada.post(f"/detectors/{detector['id']}/train", 200, {"dataset_id": dataset["id"]}, wait=30)
    other = ada.upload(csv("amount,b", *[f"{i}.5,{i % 7}" for i in range(20)]))
    retyped = ada.upload(csv("amount,age", *[f"{i}.5,{'young' if i % 2 else 'old'}" for i in range(20)]))
    for table, name in ((other, "'age'"), (retyped, "'age'")):
        body = {"dataset_id": table["id"], "detector_id": detector["id"]}
        problem = ada.post("/detection/detect", 422, body, wait=30)
        assert problem["code"] == "schema_mismatch"
        assert name in problem["detail"]
    untrained = ada.post("/detectors", 201, {"name": "n", "columns": ["nope"]})
    ada.post(f"/detectors/{untrained['id']}/train", 422, {"dataset_id": dataset["id"]})
    assert ada.get(f"/detectors/{untrained['id']}")["status"] == "untrained"


def test_a_detector_that_cannot_be_trained_says_why(ada: Any, large: Any) -> None:
    """A failed training leaves the detector `failed` with the reason, through either route."""
    parameters = {"n_trees": 10_000, "max_samples": 1.0}
    for path in ("/detectors/{}/train", "/detection/detect"):
        asked = {"name": "n", "algorithm": "isolation_forest", "parameters": parameters}
        detector = ada.post("/detectors", 201, asked)
        body = {"dataset_id": large["id"]}
        if path == "/detection/detect":
            body["detector_id"] = detector["id"]
        problem = ada.post(path.format(detector["id"]), 422, body, wait=30)
        found = ada.get(f"/detectors/{detector['id']}")
        assert (found["status"], found["error_code"]) == ("failed", problem["code"])
        assert found["model"] is None
    failed = ada.get(f"/detection/results/{problem['details']['id']}")
    assert (failed["status"], failed["error_code"]) == ("failed", "fit_failed")
    assert failed["finished_at"]
    assert ada.get(f"/detection/results/{failed['id']}/rows", 409)["code"] == "not_ready"
    assert ada.get(f"/detection/results/{failed['id']}/export", 409)["code"] == "not_ready"


def test_a_detector_and_an_algorithm(ada: Any, dataset: Any) -> None:
    """One of them, not both."""
    detector = ada.post("/detectors", 201, {"name": "n"})
    body = {"dataset_id": dataset["id"], "detector_id": detector["id"], "algorithm": "isolation_forest"}
    assert ada.post("/detection/detect", 422, body)["code"] == "bad_value"


@pytest.mark.parametrize(
    "path", ["/datasets", "/datasets/{d}/rows", "/detection/results", "/detection/results/{r}/rows"]
)
@pytest.mark.parametrize(
    "query",
    [
        "limit=1e9",
        "limit=1000000000",
        "limit=0",
        "limit=-1",
        "limit=x",
        "cursor=x",
        "cursor=%C3%A9",
        "cursor=W10",
    ],
)
def test_bad_page(ada: Any, dataset: Any, result: Any, path: str, query: str) -> None:
    """Limits out of range and cursors that no list gave."""
    answer = ada.http.get(f"/api/v1{path.format(d=dataset['id'], r=result['id'])}?{query}")
    assert answer.status_code == 422
    assert answer.json()["code"] in ("invalid_request", "bad_cursor")
    assert answer.json()["errors"][0]["pointer"] == f"#/{query.partition('=')[0]}"


def test_a_cursor_of_another_order(ada: Any, result: Any) -> None:
    """A cursor goes on only where it came from."""
    path = f"/detection/results/{result['id']}/rows"
    cursor = ada.get(path, limit=10, sort="row")["next_cursor"]
    assert ada.get(path, 422, limit=10, cursor=cursor)["code"] == "bad_cursor"
    assert ada.get(path, limit=10, cursor=cursor, sort="row")["items"][0]["row"] == 10
    assert ada.get(path, 422, sort="amount")["code"] == "bad_value"  # a column is column:amount


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "n", "contamination": NaN}',
        b'{"name": "n", "contamination": 1e400}',
        b'{"name": "n", "contamination": -Infinity}',
        b'{"name": "n", "parameters": {"max_features": NaN}}',
        b'{"name": "n", "parameters": {"max_features": 1e400}}',
        b'{"name": "n", "seed": 99999999999999999999999999}',
        b'{"name": "n\\u0000"}',
        b'{"name": "\\ud800"}',
        b'{"name": "n"',
        b"\xff\xfe",
        b"[" * 100_000,
        b"null",
        b"",
    ],
)
def test_bad_body(ada: Any, body: bytes) -> None:
    """What is not JSON, or not a value that can be stored."""
    for path in ("/detectors", "/detection/detect"):
        answer = ada.http.post(f"/api/v1{path}", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert json.loads(answer.text)["code"]


PART = b'--B\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
FILE_PART = PART % (b"file", b'; filename="t.csv"', b"a\n1\n")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"a,b\n1,2\n", "text/csv", 415),
        (b"", "multipart/form-data", 415),
        (b"", "multipart/form-data; boundary=B", 400),
        (b"--B--\r\n", "multipart/form-data; boundary=B", 422),
        (FILE_PART, "multipart/form-data; boundary=B", 400),
        (FILE_PART + FILE_PART + b"--B--\r\n", "multipart/form-data; boundary=B", 422),
        (PART % (b"owner_id", b"", b"x") + FILE_PART + b"--B--\r\n", "multipart/form-data; boundary=B", 422),
        (
            FILE_PART + PART % (b"name", b"", b"x" * 70_000) + b"--B--\r\n",
            "multipart/form-data; boundary=B",
            422,
        ),
        (FILE_PART + PART % (b"name", b"", b"\xff") + b"--B--\r\n", "multipart/form-data; boundary=B", 422),
        (FILE_PART + PART % (b"name", b"", b"a\nb") + b"--B--\r\n", "multipart/form-data; boundary=B", 422),
        (
            FILE_PART + PART % (b"label_column", b"", b"\0") + b"--B--\r\n",
            "multipart/form-data; boundary=B",
            422,
        ),
        (PART % (b"file", b'; filename="t.csv"', b"") + b"--B--\r\n", "multipart/form-data; boundary=B", 422),
        (b"garbage" * 1000, "multipart/form-data; boundary=B", 400),
    ],
)
def test_bad_multipart(ada: Any, body: bytes, content_type: str, status: int) -> None:
    """Bodies that are no upload."""
    answer = ada.http.post("/api/v1/datasets/upload", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.json()["code"]


def test_a_client_that_goes_away_leaves_nothing(ada: Any, installation: Any) -> None:
    """An upload that breaks off is not stored."""

    def broken() -> Iterator[bytes]:
        yield FILE_PART
        yield zlib.compress(os.urandom(100_000))
        raise ConnectionError("gone")

    headers = {"Content-Type": "multipart/form-data; boundary=B", "Content-Length": "1000000"}
    with pytest.raises(ConnectionError):
        ada.http.post("/api/v1/datasets/upload", content=broken(), headers=headers)
