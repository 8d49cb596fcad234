"""The page of a result: the threshold on trial and moved, filters, charts, notes, verdicts, languages."""

import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from sqlalchemy import select

from pynomaly.server.db import Database
from pynomaly.server.detections.models import Detection, Feedback

pytestmark = pytest.mark.any_database

EVIL = "<script>alert(1)</script>\"&'"


def table() -> bytes:
    """Eighty rows with a time, two numbers and a hostile name; row 7 and 40 are absurd and labelled so."""
    lines = [f"at,amount,size,{json.dumps(EVIL).replace(chr(92), '')[1:-1].replace(chr(34), '')},odd"]
    for row in range(80):
        odd = row in (7, 40)
        amount, size = (900 + row, 70) if odd else (row % 9, (row * 7) % 11)
        lines.append(f"2026-01-{row % 28 + 1:02d} 10:00,{amount},{size},{EVIL[:8]}{row % 3},{int(odd)}")
    return "\n".join(lines).encode()


@pytest.fixture
def result(person: Any, worker: Any) -> str:
    """The address of a completed result."""
    address = person.upload(table(), name=f"Odd {EVIL}", label_column="odd")
    person.until_done(address)
    form = {"dataset": address.rsplit("/", 1)[1], "algorithm": "isolation_forest"}
    found = person.go("/detections/new", **form, flag="max_alerts", **{"flag-value": "4"})
    page = person.until_done(found)
    assert "of 80 rows" in page, page[:3000]
    return str(found)


def flagged(page: str) -> int:
    """How many rows the answer says stand out."""
    found = re.search(r"(\d+) of 80 rows?", page)
    return int(found[1]) if found else 0


def test_the_answer_comes_first(person: Any, result: str) -> None:
    page = person.see(result)
    assert page.index('class="panel answer"') < page.index('id="scores"') < page.index('id="rows"')
    assert re.search(r"The strongest is row (7|40)\. Unusual because", page)
    assert f"/triage?detection={result.rsplit('/', 1)[1]}" in page
    raw = person.http.get(result).text
    assert "<script>alert" not in raw
    assert len(raw.encode()) < 200_000


def test_a_threshold_is_tried_saved_and_put_back(person: Any, result: str) -> None:
    """Trying changes nothing; saving changes what every part of the page says."""
    before = flagged(person.see(result))
    tried = person.see(f"{result}?max_alerts=2&chart=columns")
    assert "On trial" in tried
    assert flagged(tried) == 2
    assert flagged(person.see(result)) == before != 2
    there = person.go(f"{result}/threshold", max_alerts="2", back="chart=columns&page=1", do="save")
    assert there == f"{result}?chart=columns#scores"
    page = person.see(there.partition("#")[0])
    assert flagged(page) == 2
    assert page.count('class="flag"') == 2
    assert "Moved: the run used" in page
    assert flagged(person.see(f"{result}?only=anomalies")) == 2
    assert "On trial" not in page
    person.go(f"{result}/threshold", do="reset", back="")
    assert flagged(person.see(result)) == before


@pytest.mark.parametrize("wrong", [{"threshold": "much"}, {}, {"max_alerts": "1.5"}])
def test_a_wrong_threshold_is_shown_again(person: Any, result: str, wrong: dict[str, str]) -> None:
    page = person.send(f"{result}/threshold", **wrong, back="page=2")
    assert 'role="alert"' in page
    for typed in wrong.values():
        assert f'value="{typed}"' in page
    assert "Page 2 of" in page


def test_rows_are_filtered_and_sorted_by_the_address(person: Any, result: str) -> None:
    where = quote(json.dumps([["amount", "ge", "900"]]))
    page = person.see(f"{result}?where={where}&layout=table&sort=row")
    assert re.findall(r'<tr id="row-(\d+)">', page) == ["7", "40"]
    page = person.see(f"{result}?layout=table&sort=-column:amount")
    assert re.findall(r'<tr id="row-(\d+)">', page)[:2] == ["40", "7"]
    added = urlencode({"col": "amount", "op": "lt", "val": "2", "sort": "row", "layout": "table"})
    page = person.see(f"{result}?{added}")
    assert re.findall(r'<tr id="row-(\d+)">', page)[:3] == ["0", "1", "9"]
    assert "Remove the condition on amount" in page
    assert "No row fits" in person.see(f"{result}?score_from=99")
    for wrong in ("sort=sideways", "page=x", f"where={quote('[[1]]')}", "col=amount&op=ge&val=many"):
        page = person.see(f"{result}?{wrong}", 422)
        assert 'role="alert"' in page
        assert 'id="rows"' in page
    assert 'value="many"' in page, "what was typed is still there"


@pytest.mark.parametrize(
    ("chart", "says"),
    [
        ("map", "Component 1:"),
        ("columns&x=amount&y=size", "Far-out rows are drawn nearer"),
        ("time", "The highest score in each span of"),
        ("labels", "2 of 2 labelled anomalies are found, and 2 of 4 flagged rows are false alarms"),
        ("columns&x=nowhere", "80 rows are drawn"),
    ],
)
def test_charts_are_drawn_with_words_and_a_table(person: Any, result: str, chart: str, says: str) -> None:
    page = person.see(f"{result}?chart={chart}")
    picture = page.split('id="picture"')[1].split('id="rows"')[0]
    assert says in picture
    assert 'class="mark"' in picture
    assert "as a table" in picture.lower()
    for tips in re.findall(r"data-tips=\"\w+\">(.*?)</script>", picture):
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y, _ in json.loads(tips))


def test_notes_and_verdicts(person: Any, result: str, database: Database) -> None:
    name = "Checked <b>twice</b>"
    there = person.go(f"{result}/notes", name=name, remarks="Look at\nrow 7", back="layout=table")
    assert there == f"{result}?layout=table#notes"
    assert f">{name}</h1>" in person.see(result)
    assert "<b>twice" not in person.http.get(result).text
    page = person.send(f"{result}/notes", name="x" * 201, remarks="kept")
    assert "kept</textarea>" in page
    assert person.go(f"{result}/verdict", row="7", verdict="anomaly", back="") == f"{result}#row-7"
    assert 'value="" aria-pressed="true"' in person.see(result)
    with database.session(write=False) as session:
        assert session.scalars(select(Feedback.verdict)).all() == ["anomaly"]
    person.go(f"{result}/verdict", row="7", verdict="", back="")
    with database.session(write=False) as session:
        assert session.scalars(select(Feedback.verdict)).all() == []
    person.send(f"{result}/verdict", row="7000", verdict="normal", back="")
    person.send(f"{result}/verdict", row="7", verdict="bad", back="where=%5B")


def test_a_detector_takes_the_threshold_over(person: Any, result: str, database: Database) -> None:
    """Only the owner's detector that still uses the version of the result."""
    assert person.http.post(f"{result}/detector-threshold", data={}).status_code == 422
    with database.session(write=False) as session:
        dataset = session.scalars(select(Detection.dataset_id)).one()
    maker = person.go("/detectors/new", name="Mine", algorithm="isolation_forest")
    found = person.go("/detections/new", dataset=dataset, detector=maker.rsplit("/", 1)[1])
    person.until_done(found)
    person.go(f"{found}/threshold", max_alerts="1", back="")
    page = person.see(found)
    assert "Give the detector “Mine” this threshold, too" in page
    person.go(f"{found}/detector-threshold", back="")
    with database.session(write=False) as session:
        moved = session.get_one(Detection, found.rsplit("/", 1)[1], options=[])
        from pynomaly.server.detectors.models import Detector

        assert session.get_one(Detector, moved.detector_id).threshold == moved.threshold
    assert "Give the detector" not in person.see(found)


def test_a_viewer_and_a_stranger(person: Any, result: str, viewer: Any) -> None:
    viewer.see(result, 404)
    for form in ("threshold", "notes", "verdict", "detector-threshold"):
        assert viewer.http.post(f"{result}/{form}", data={"row": "1"}).status_code in (403, 404)


def test_reasons_are_in_the_language_of_the_reader(person: Any, result: str) -> None:
    """Elsewhere than in English, sentences are made of the numbers behind them, not of what is stored."""
    assert "(typically " in person.see(result)
    page = person.http.get(result, headers={"Accept-Language": "de"}).text
    assert "(typically " not in page
    assert "training (" not in page
