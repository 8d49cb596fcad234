"""A look before the import, chosen dialects and types, and the report of what was rejected."""

import time
from typing import Any

import httpx
import pytest

from pynomaly.server.datasets.fixes import fix_of

API = "/api/v1/datasets"
WAIT = {"Prefer": "wait=30"}
EURO = "code;amount;when\n" + "".join(
    f"{row % 4:03d};{row % 13},5;2026-01-{1 + row % 28:02d}\n" for row in range(300)
)


def upload(api: httpx.Client, content: str, status: int = 202, **form: str) -> Any:
    """Upload a table."""
    files = {"file": ("t.csv", content.encode())}
    answer = api.post(f"{API}/upload", files=files, data=form)
    assert answer.status_code == status, answer.text
    return answer.json()


def look(api: httpx.Client, id_: str) -> Any:
    """Wait for the preview."""
    deadline = time.monotonic() + 30
    while (answer := api.get(f"{API}/{id_}/preview")).status_code == 409:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.02)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.usefixtures("worker")
def test_a_look_and_then_the_import(api: httpx.Client) -> None:
    dataset = upload(api, EURO, preview="true")
    assert dataset["status"] == "uploaded"
    path = f"{API}/{dataset['id']}"
    seen = look(api, dataset["id"])
    assert (seen["dialect"]["delimiter"], seen["dialect"]["decimal"]) == (";", ",")
    assert [column["type"] for column in seen["columns"]] == ["number", "number", "timestamp"]
    assert (seen["rows"][1], seen["complete"]) == ([1, 1.5, "2026-01-02T00:00:00"], True)
    assert api.get(f"{path}/rows").status_code == 409
    assert api.get(f"{API}", params={"status": "uploaded"}).json()["items"][0]["id"] == dataset["id"]
    wanted = {"types": {"code": "category", "when": "text"}, "name": "Euro", "dialect": {"header": True}}
    read = api.post(f"{path}/import", json=wanted, headers=WAIT)
    assert read.status_code == 201, read.text
    assert [column["type"] for column in read.json()["columns"]] == ["category", "number", "text"]
    assert (read.json()["name"], read.json()["chosen_dialect"]) == ("Euro", {"header": True})
    assert read.json()["missing_share"] == 0
    assert api.post(f"{path}/import", json={}).status_code == 409
    assert api.get(f"{path}/preview").status_code == 409


@pytest.mark.usefixtures("worker")
def test_wrong_choices_lose_nothing(api: httpx.Client) -> None:
    dataset = upload(api, EURO, dialect='{"delimiter": ","}', types='{"code": "number"}')
    path = f"{API}/{dataset['id']}"
    deadline = time.monotonic() + 30
    while (found := api.get(path).json())["status"] == "processing":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (found["status"], found["error_code"]) == ("failed", "bad_columns")
    assert api.get(f"{path}/download").content == EURO.encode()
    wrong = {"dialect": {"delimiter": ";", "decimal": "."}, "types": {"amount": "number"}}
    refused = api.post(f"{path}/import", json=wrong, headers=WAIT)
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_bad_rows")
    report = api.get(f"{path}/report").json()
    assert report["n_rejected"] == 300
    assert report["groups"][0]["count"] == 300
    first = report["items"][0]
    assert (first["line"], first["column"], first["value"], first["corrected"]) == (2, "amount", "0,5", "0.5")
    right = api.post(f"{path}/import", json={"types": {}, "dialect": {}}, headers=WAIT)
    assert right.status_code == 201, right.text
    assert (right.json()["n_rows"], right.json()["n_rejected"], right.json()["rejects"]) == (300, 0, [])


@pytest.mark.usefixtures("worker")
def test_the_report_is_a_safe_spreadsheet(api: httpx.Client) -> None:
    rows = [f"{row},{row % 7}" for row in range(1000)]
    rows[17], rows[500] = '"=1+1",3', '"1,234",4'
    dataset = upload(api, "\n".join(["left,right", *rows]))
    path = f"{API}/{dataset['id']}"
    deadline = time.monotonic() + 30
    while api.get(path).json()["status"] == "processing":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    answer = api.get(f"{path}/report", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert lines[0] == "line,column,value,reason,fix,corrected"
    assert "19,left,'=1+1,not a number" in lines[1]


def test_marks_that_there_are_not(api: httpx.Client) -> None:
    for dialect in (
        '{"delimiter": "ab"}',
        '{"colour": "red"}',
        "[]",
        "{",
        '{"header": 1}',
        '{"encoding": "x"}',
    ):
        upload(api, EURO, 422, dialect=dialect)


@pytest.mark.parametrize(
    ("value", "reason", "decimal", "corrected", "says"),
    [
        ("1,234", "not a number", ".", "1234", "thousands"),
        ("1 234", "not a number", ".", "1234", "thousands"),
        ("3,5", "not a number", ".", "3.5", "decimal mark"),
        ("3.5", "not a number", ",", "3,5", "decimal mark"),
        ("12 kg", "not a number", ".", "12", "unit"),
        ("€ 9.50", "not a number", ".", "9.50", "unit"),
        ("(12.5)", "not a number", ".", "-12.5", "minus"),
        ("-", "not a number", ".", "", "empty"),
        ("n/a??", "not a number", ".", "", "empty"),
        ("yes", "not a number", ".", "1", "1 or 0"),
        ("31.12.2025", "not a number", ".", None, "date is where a number"),
        ("hello", "not a number", ".", None, "Text is where a number"),
        ("2026-02-30", "not a timestamp", ".", None, "no such day"),
        ("17", "not a timestamp", ".", None, "number is where a time"),
        ("soon", "not a timestamp", ".", None, "Write times as"),
        ("a,b,c", "the line has 3 cells where 2 are expected", ".", None, "holds the delimiter"),
        ("a", "the line has 1 cells where 2 are expected", ".", None, "cut off"),
        (
            "x",
            "a quote is opened and not closed",
            ".",
            None,
            "Close the quote",
        ),
        ("x", "the line is not valid UTF-8", ".", None, "encoding"),
        ("x", "the line is too long", ".", None, "line end"),
        ("x", "the line is not well formed", ".", None, "Correct the line"),
    ],
)
def test_what_to_do(value: str, reason: str, decimal: str, corrected: str | None, says: str) -> None:
    fix = fix_of(value, reason, decimal)
    assert says in fix.text
    assert fix.corrected == corrected
