"""Triage without scripts: the inbox, a verdict on each anomaly, undo, two tabs, the sum."""

from typing import Any

import pytest
from sqlalchemy import select, update

from pynomaly.server.db import Database
from pynomaly.server.detections.models import Detection, Feedback

pytestmark = pytest.mark.any_database

NAME = "<script>alert(1)</script>"
COUNT = 3


@pytest.fixture
def result(person: Any, dataset: str) -> str:
    """Identifier of a result with three anomalies, of which row 100 is the first."""
    person.http.patch(f"/api/v1/datasets/{dataset}", json={"name": NAME})
    fields = {"flag": "max_alerts", "flag-value": str(COUNT)}
    address = person.go("/detections/new", dataset=dataset, algorithm="isolation_forest", **fields)
    assert f"{COUNT} of 300 rows" in person.until_done(address)
    return address.rsplit("/", 1)[1]


def kept(database: Database) -> dict[int, list[tuple[str, str]]]:
    """Verdicts and notes by row."""
    found: dict[int, list[tuple[str, str]]] = {}
    with database.session(write=False) as session:
        for one in session.scalars(select(Feedback).order_by(Feedback.created_at)):
            found.setdefault(one.row, []).append((one.verdict, one.note))
    return found


def test_from_the_inbox_to_the_sum(person: Any, result: str, database: Database) -> None:
    """Every verdict leads to the next open row; the last one to the summary."""
    page = person.read(person.http.get("/triage"))
    assert f"{COUNT} open" in page
    assert f"0 of {COUNT} judged" in page
    assert NAME not in person.http.get("/triage").text
    assert person.http.get(f"/triage?detection={result}").headers["location"] == f"/triage/{result}"
    first = person.http.get(f"/triage/{result}").headers["location"]
    assert first == f"/triage/{result}?row=100"
    page = person.see(first)
    for text in ("Row 100", f"Number 1 of {COUNT} anomalies", "amount is 5,000", "Nearest normal row", "≠"):
        assert text in page
    assert "<script>alert" not in person.http.get(first).text
    following = person.go(f"/triage/{result}", row="100", verdict="anomaly", note=" <b>stolen</b> ")
    assert "&done=100" in following
    page = person.see(following)
    assert f"1 of {COUNT} judged" in page
    assert "Row 100: your verdict is kept." in page
    assert kept(database) == {100: [("anomaly", "<b>stolen</b>")]}
    row = following.split("row=")[1].split("&")[0]
    following = person.go(f"/triage/{result}", row=row, verdict="unsure", note="")
    row = following.split("row=")[1].split("&")[0]
    assert person.go(f"/triage/{result}", row=row, verdict="normal", note="") == f"/triage/{result}"
    page = person.see(f"/triage/{result}")
    assert "1 of 2 that were decided are anomalies indeed: a precision of 50 %." in page
    assert "The inbox is empty" in person.see("/triage")
    assert "all judged" in person.see("/triage?show=all")


def test_undo_takes_back_only_the_last_own_verdict(person: Any, result: str, database: Database) -> None:
    following = person.go(f"/triage/{result}", row="100", verdict="anomaly", note="")
    form = person.see(following).split(f'action="/triage/{result}/undo"')[1].split("</form>")[0]
    assert 'name="row" value="100"' in form
    for _tab in range(2):  # the second one finds nothing left, and is told so by the page
        assert person.go(f"/triage/{result}/undo", row="100") == f"/triage/{result}?row=100"
    assert kept(database) == {}
    assert f"0 of {COUNT} judged" in person.see(f"/triage/{result}?row=100")


def test_a_verdict_from_another_tab_is_replaced_and_told(
    person: Any, result: str, database: Database
) -> None:
    person.go(f"/triage/{result}", row="100", verdict="anomaly", note="sure")
    following = person.go(f"/triage/{result}", row="100", verdict="normal", note="no")
    assert "was=anomaly" in following
    page = person.see(following)
    assert "your verdict from before, anomaly, was replaced" in page
    assert kept(database) == {100: [("normal", "no")]}
    person.go(f"/triage/{result}/undo", row="100", was="anomaly")
    assert kept(database) == {100: [("anomaly", "no")]}
    person.go(f"/triage/{result}/undo", row="100", was="<nonsense>")
    assert kept(database) == {}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "Choose a verdict"),
        ({"verdict": "sure"}, "Choose a verdict"),
        ({"verdict": "normal"}, "at most 4,000 characters"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_typed_is_lost(
    person: Any, result: str, fields: dict[str, str], told: str, database: Database
) -> None:
    note = "typed" * (1000 if fields.get("verdict") == "normal" else 1)
    page = person.send(f"/triage/{result}", row="100", note=note, **fields)
    assert told in page
    assert "typed" in page.split("<textarea")[1].split("</textarea>")[0]
    assert kept(database) == {}


def test_what_others_said_is_shown_counts_and_stays(
    person: Any, administrator: Any, viewer: Any, result: str, database: Database
) -> None:
    """An administrator judges somebody's result; who may not see it hears of nothing."""
    administrator.go(f"/triage/{result}", row="100", verdict="normal", note="seen before")
    assert person.http.get(f"/triage/{result}").headers["location"] != f"/triage/{result}?row=100"
    page = person.see(f"/triage/{result}?row=100")
    for text in ("root@example.org", "seen before", f"1 of {COUNT} judged"):
        assert text in page
    person.go(f"/triage/{result}/undo", row="100")
    person.go(f"/triage/{result}", row="100", verdict="anomaly", note="")
    assert sorted(kept(database)[100]) == [("anomaly", ""), ("normal", "seen before")]
    assert f"1 of {COUNT} judged" in person.see(f"/triage/{result}?row=100")
    while "?row=" in (address := person.http.get(f"/triage/{result}").headers.get("location", "")):
        person.go(f"/triage/{result}", row=address.split("row=")[1], verdict="unsure", note="")
    assert "1 of 1 that were decided are anomalies indeed" in person.see(f"/triage/{result}")
    viewer.see(f"/triage/{result}?row=100", 404)
    assert viewer.http.post(f"/triage/{result}", data={"row": "100", "verdict": "normal"}).status_code == 403
    assert "The inbox is empty" in viewer.see("/triage")


def test_behind_the_last_row_comes_the_first_open_one(person: Any, result: str) -> None:
    rows = person.http.get(f"/api/v1/detection/results/{result}/rows?limit={COUNT}").json()["items"]
    last = rows[-1]["row"]
    assert 'rel="next"' not in person.see(f"/triage/{result}?row={last}")
    following = person.go(f"/triage/{result}", row=str(last), verdict="normal", note="")
    assert f"row={rows[0]['row']}&" in following
    following = person.go(f"/triage/{result}", row=str(rows[0]["row"]), verdict="normal", note="")
    assert f"row={rows[1]['row']}&" in following


def test_rows_that_are_no_anomalies_do_not_count(person: Any, result: str, database: Database) -> None:
    """Of verdicts without a rank, from before there were ranks, the rank is found with the next verdict."""
    page = person.see(f"/triage/{result}?row=0")
    assert "below the threshold" in page
    assert "of 300 rows" in page
    person.go(f"/triage/{result}", row="0", verdict="normal", note="")
    person.go(f"/triage/{result}", row="100", verdict="anomaly", note="")
    assert f"1 of {COUNT} judged" in person.see("/triage")
    with database.session() as session:
        session.execute(update(Feedback).values(rank=None))
    assert f"0 of {COUNT} judged" in person.see("/triage")
    person.go(f"/triage/{result}", row="1", verdict="normal", note="")
    assert f"1 of {COUNT} judged" in person.see("/triage")


def test_filters_and_wrong_addresses(person: Any, dataset: str, result: str) -> None:
    assert f"{COUNT} open" in person.see(f"/triage?dataset={dataset}")
    assert "Nothing open here" in person.see("/triage?dataset=nonsense")
    assert "one that is gone" in person.see("/triage?detector=nonsense")
    for address, status in (
        (f"/triage/{result}?row=300", 404),
        (f"/triage/{result}?row=x", 422),
        (f"/triage/{result}?row=-1", 422),
        ("/triage/nonsense", 404),
        ("/triage?detection=nonsense", 404),
    ):
        person.see(address, status)
    for row in ("", "x", "9" * 5000, "300"):
        person.send(f"/triage/{result}", 422 if row != "300" else 404, row=row, verdict="normal", note="")


def test_a_result_without_anomalies(person: Any, result: str, database: Database) -> None:
    with database.session() as session:
        session.execute(update(Detection).values(n_anomalies=0))
    assert "Nothing to judge" in person.see(f"/triage/{result}")
    assert "The inbox is empty" in person.see("/triage")


@pytest.fixture(autouse=True)
def _no_redirects(person: Any) -> None:
    """Pages that lead elsewhere are looked at themselves."""
    assert not person.http.follow_redirects
