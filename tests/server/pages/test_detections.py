"""The pages of detections."""

from typing import Any

import pytest

from pynomaly.server.db import Database
from pynomaly.server.jobs.queue import claim

pytestmark = pytest.mark.any_database

FOREST = "isolation_forest"


def test_nothing_found_yet(person: Any) -> None:
    assert "No results yet" in person.see("/detections")
    assert "No table is ready yet" in person.see("/detections/new")


def test_choose_dataset_then_algorithm(person: Any, dataset: str) -> None:
    assert f"/detections/new?dataset={dataset}" in person.see("/detections/new")
    page = person.see(f"/detections/new?dataset={dataset}")
    assert 'name="parameter-clean_training"' in page
    assert "3 of 4 columns can be used" in page
    page = person.see(f"/detections/new?dataset={dataset}&algorithm=local_outlier_factor")
    assert 'name="parameter-n_neighbors"' in page
    assert 'name="parameter-clean_training"' not in page


def test_the_result_page(person: Any, dataset: str) -> None:
    address = person.go(
        "/detections/new",
        dataset=dataset,
        algorithm=FOREST,
        flag="contamination",
        **{"flag-contamination": "1", "columns-shown": "1"},
        seed="5",
        column=["0", "1"],
        **{"parameter-n_trees": "40"},
    )
    page = person.until_done(address)
    assert "3 of 300 rows" in page
    assert "area under the ROC curve 1" in page
    assert page.split("<h3>Row ")[1].startswith("100<")
    assert "amount, age" in page
    assert 'id="threshold-data"' in page
    assert f"/api/v1/detection/results/{address.rsplit('/', 1)[1]}/export?format=csv" in page
    assert "amount is 5,000" in page
    following = page.split('rel="next" href="')[1].split('"')[0]
    assert "First page" in person.see(address + following.replace(" ", ""))
    assert "Row 0<" in person.see(f"{address}?sort=row")
    person.see(f"{address}?sort=sideways", 422)
    assert "Shop visits" in person.see("/detections")


@pytest.mark.parametrize("runs", [False, True])
def test_a_detection_can_be_cancelled(
    person: Any, dataset: str, worker: Any, database: Database, runs: bool
) -> None:
    """One that waits has ended at once, worker or not; one that runs is being stopped."""
    worker.stop()
    address = person.go("/detections/new", dataset=dataset, algorithm=FOREST)
    page = person.see(address)
    assert "Looking for anomalies" in page
    assert ">Cancel<" in page
    job = page.split('data-job="')[1].split('"')[0]
    if runs:
        with database.session() as session:
            claim(session, "elsewhere", 60, ["detection.run"])
    assert person.go(f"/jobs/{job}/cancel", next=address) == address
    page = person.see(address)
    assert ("Stopping" in page, "Start again" in page) == (runs, not runs)
    assert person.go(f"/jobs/{job}/cancel", next="https://evil.example/") == "/"


def test_wrong_settings_are_shown_again_with_what_was_typed(person: Any, dataset: str) -> None:
    page = person.send(
        "/detections/new",
        dataset=dataset,
        algorithm=FOREST,
        flag="contamination",
        **{"flag-contamination": "lots", "columns-shown": "1"},
        seed="-3",
        **{"parameter-n_trees": "0", "parameter-bootstrap": "true"},
    )
    assert "4 fields below are wrong" in page
    for typed in ('value="lots"', 'value="-3"', 'value="0"'):
        assert typed in page
    assert "Keep at least one column." in page
    assert 'name="parameter-bootstrap" value="true" checked' in page
    assert 'name="flag" value="contamination" checked' in page
    person.see("/detections")


def test_a_table_that_cannot_be_used_says_why(person: Any, worker: Any) -> None:
    address = person.upload(b"a,b\n" + b"1,2\n" * 50)
    person.until_done(address)
    page = person.send("/detections/new", dataset=address.rsplit("/", 1)[1], algorithm=FOREST)
    assert "no column that detection can use" in page
    assert "No results yet" in person.see("/detections")


def test_a_failed_detection_says_why(person: Any, dataset: str) -> None:
    detector = person.go("/detectors/new", name="Guard", algorithm=FOREST)
    person.go(f"{detector}/train", dataset=dataset)
    person.until_done(detector)
    words = b"amount,age,shop,odd\n" + b"much,40.5,food,0\nlittle,31.5,books,1\n" * 30
    other = person.upload(words, "words.csv")
    person.until_done(other)
    fields = {"dataset": other.rsplit("/", 1)[1], "detector": detector.rsplit("/", 1)[1]}
    page = person.until_done(person.go("/detections/new", **fields))
    assert "No result" in page
    assert "(schema_mismatch)" in page
    assert "amount" in page.split("No result")[1]
    assert "Try other settings" in page


def test_a_refused_start_leaves_nothing_behind(person: Any, dataset: str, worker: Any) -> None:
    worker.stop()
    detector = person.go("/detectors/new", name="Guard", algorithm=FOREST)
    person.go(f"{detector}/train", dataset=dataset)
    page = person.send("/detections/new", 409, dataset=dataset, detector=detector.rsplit("/", 1)[1])
    assert "is being trained" in page
    assert "No results yet" in person.see("/detections")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("dataset=nonsense", 404),
        ("dataset={dataset}&algorithm=nonsense", 422),
        ("dataset={dataset}&detector=nonsense", 404),
    ],
)
def test_wrong_addresses(person: Any, dataset: str, query: str, status: int) -> None:
    person.see(f"/detections/new?{query.format(dataset=dataset)}", status)


def test_a_dataset_that_is_still_read_cannot_be_searched(person: Any) -> None:
    dataset = person.upload(b"a,b\n1,2\n").rsplit("/", 1)[1]
    assert "is still being read" in person.see(f"/detections/new?dataset={dataset}", 409)
