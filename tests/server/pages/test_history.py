"""All results with filters, order and trends; two to five of them side by side."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import inspect, select

from pynomaly.server.db import Database, new_id
from pynomaly.server.detections.models import Detection

pytestmark = pytest.mark.any_database

NAME = "<img src=x onerror=alert(1)>"


@pytest.fixture
def results(person: Any, dataset: str) -> list[str]:
    """Identifiers of three results of one dataset: two alike, one of another algorithm."""
    asked: list[dict[str, str]] = [
        {"algorithm": "knn", "flag": "max_alerts", "flag-value": "5"},
        {"algorithm": "knn", "flag": "max_alerts", "flag-value": "5", "parameter-n_neighbors": "3"},
        {"algorithm": "isolation_forest", "flag": "contamination", "flag-value": "0.02", "seed": "4"},
    ]
    found = []
    for fields in asked:
        address = person.go("/detections/new", dataset=dataset, **fields)
        person.until_done(address)
        found.append(address.rsplit("/", 1)[1])
    return found


def copies(database: Database, id_: str, changes: list[dict[str, Any]]) -> list[str]:
    """Write copies of a result with other fields."""
    names = [column.key for column in inspect(Detection).column_attrs]
    with database.session() as session:
        one = session.get_one(Detection, id_)
        fields = {name: getattr(one, name) for name in names}
        made = [Detection(**(fields | {"id": new_id(), "job_id": None} | change)) for change in changes]
        session.add_all(made)
    return [one.id for one in made]


def listed(page: str) -> list[str]:
    """The results of a list, in its order."""
    return re.findall(r'<th scope="row"><span class="name"><a href="/detections/([0-9a-f-]{36})"', page)


def test_every_filter_and_order(person: Any, results: list[str], dataset: str, database: Database) -> None:
    old = datetime(2020, 5, 17, 23, 30, tzinfo=UTC)
    (named, failed) = copies(
        database,
        results[0],
        [
            {"name": NAME, "created_at": old, "n_anomalies": 200, "seconds": 900.0},
            {"stored_status": "failed", "created_at": old + timedelta(days=3), "seconds": None},
        ],
    )
    page = person.see("/detections")
    assert listed(page) == [*reversed(results), failed, named]
    assert NAME not in person.http.get("/detections").text
    assert page.count('class="sparkline"') == 5
    assert page.count('class="trend"') == 3
    for query, expected in (
        ("name=ONERROR", [named]),
        ("name=shop+vis", [*reversed(results), failed, named]),
        ("name=100%25", []),
        (f"dataset={dataset}&algorithm=isolation_forest", [results[2]]),
        ("status=failed", [failed]),
        ("until=2020-05-17", [named]),
        ("since=2020-05-18&until=2020-05-20", [failed]),
        ("until=2020-05-16", []),
        ("sort=-n_anomalies&status=completed", [named]),
        ("sort=-seconds", [named]),
        ("sort=created_at", [named, failed, *results]),
        ("detector=nonsense", []),
    ):
        found = listed(person.see(f"/detections?{query}"))
        assert found[: len(expected) or 1] == expected, query
    page = person.see("/detections?since=17.5.2020&name=shop", 422)
    assert "Write a date as 2026-01-31." in page
    assert 'value="shop"' in page
    assert 'type="text" value="17.5.2020"' in page  # a date field would drop it


def test_pages_by_duration(person: Any, results: list[str], database: Database) -> None:
    """Equal and missing durations, too: no result is lost or shown twice."""
    changes = [{"seconds": None if i % 3 == 0 else i // 2 + 0.1} for i in range(60)]
    everything = {*results, *copies(database, results[0], changes)}
    seen: list[str] = []
    address = "/detections?sort=-seconds&algorithm=&name=shop"
    while True:
        page = person.see(address)
        seen += listed(page)
        if 'rel="next"' not in page:
            break
        address = page.split('rel="next" href="')[1].split('"')[0]
    assert len(seen) == len(everything) == len(set(seen))
    assert set(seen) == everything
    with database.session(write=False) as session:
        took = {one.id: one.seconds or 0 for one in session.scalars(select(Detection))}
    assert [took[id_] for id_ in seen] == sorted(took.values(), reverse=True)


def test_side_by_side_tells_what_the_api_tells(person: Any, results: list[str]) -> None:
    query = "&".join(f"id={id_}" for id_ in [*results, results[0]])  # twice is once
    page = person.see(f"/detections/compare?{query}")
    told = person.http.get("/api/v1/detection/compare", params={"ids": ",".join(results)}).json()
    assert "3 results side by side" in page
    union = sum(one["count"] for one in told["overlap"])
    assert f"{union} rows are flagged by at least one" in page
    shown = re.findall(r'<td class="num">(\d+)</td><td class="bar-cell">', page)
    assert [int(count) for count in shown] == [one["count"] for one in told["overlap"]]
    for pair in told["pairs"]:
        assert f">{round(pair['spearman'], 3):g}</td>" in page
    disputed = page.split('id="disputed-title"')[1].split("<details")[0]
    rows = [int(row) for row in re.findall(r"\?row=(\d+)\"", disputed)]
    assert rows == [row["row"] for row in told["disputed"]]
    assert all(len(set(row["is_anomaly"])) == 2 for row in told["disputed"])
    for row in told["disputed"]:
        for result, score, rank in zip(results, row["scores"], row["ranks"], strict=True):
            item = next(
                one
                for one in person.http.get(f"/api/v1/detection/results/{result}/rows?limit=200").json()[
                    "items"
                ]
                if one["row"] == row["row"]
            )
            assert item["score"] == score
            assert abs(item["rank"] - rank) < 10  # equal scores share the mean of their ranks
    settings = page.split('id="settings-title"')[1]
    assert "n_neighbors" in settings
    assert "other than in A:" in settings


def test_what_cannot_be_compared_says_so(
    person: Any, results: list[str], database: Database, viewer: Any
) -> None:
    """Other readings, failed ones and other datasets still show their figures; too few do not."""
    shorter, failed = copies(
        database, results[0], [{"n_rows": 299}, {"stored_status": "failed", "n_anomalies": None}]
    )
    page = person.see(f"/detections/compare?id={results[0]}&id={shorter}")
    assert "different readings of the dataset" in page
    assert "Counts, time and memory" in page
    assert "Rank correlation" not in page
    assert "B: there is no result" in person.see(f"/detections/compare?id={results[0]}&id={failed}")
    other = person.upload(b"a,b\n" + b"".join(b"%d,%d.5\n" % (i, i * i % 17) for i in range(60)), "o.csv")
    person.until_done(other)
    address = person.go("/detections/new", dataset=other.rsplit("/", 1)[1], algorithm="knn")
    person.until_done(address)
    elsewhere = address.rsplit("/", 1)[1]
    page = person.see(f"/detections/compare?id={results[0]}&id={elsewhere}")
    assert "They are of different datasets" in page
    assert "Peak memory" in page
    for query, status in (
        ("", 422),
        (f"id={results[0]}", 422),
        ("&".join(f"id={new_id()}" for _ in range(6)), 422),
        (f"id={results[0]}&id={new_id()}", 404),
        (f"id={results[0]}&id=nonsense", 404),
    ):
        person.see(f"/detections/compare?{query}", status)
    viewer.see(f"/detections/compare?id={results[0]}&id={results[1]}", 404)
