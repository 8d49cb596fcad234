"""The pages of detectors."""

from typing import Any

import pytest

from pynomaly.server.db import Database
from pynomaly.server.detectors.models import Detector

pytestmark = pytest.mark.any_database

FOREST = "isolation_forest"


def make(person: Any, **fields: Any) -> str:
    """Make a detector; return its address."""
    given = {"name": "Guard", "algorithm": FOREST, "seed": "1", "parameter-n_trees": "30"}
    return str(person.go("/detectors/new", **given | fields))


def test_none_yet(person: Any) -> None:
    assert "No detectors yet" in person.see("/detectors")


def test_made_listed_changed(person: Any) -> None:
    address = make(person, columns="amount\n\n age ", flag="contamination", **{"flag-value": "0.02"})
    page = person.see(address)
    assert "<h1>Guard</h1>" in page
    assert "not trained" in page
    assert "amount, age" in page
    assert "There is no table to train on yet" in page
    page = person.see(f"{address}/edit")
    for kept in ('value="Guard"', 'value="30"', 'value="0.02"', "amount\nage</textarea>"):
        assert kept in page
    other = person.see(f"{address}/edit?algorithm=local_outlier_factor")
    assert 'name="parameter-n_neighbors"' in other
    assert 'value="Guard"' in other
    fields = {"name": "Guard 2", "algorithm": "local_outlier_factor", "parameter-n_neighbors": "7"}
    assert person.go(f"{address}/edit", **fields) == address
    assert "Guard 2" in person.see("/detectors")
    assert "Local outlier factor" in person.see(address)


def test_the_form_starts_with_the_algorithm_asked_for(person: Any) -> None:
    assert 'name="parameter-nu"' in person.see("/detectors/new?algorithm=one_class_svm")
    assert "There is no algorithm" in person.see("/detectors/new?algorithm=forest", 422)


def test_wrong_settings_are_shown_again(person: Any) -> None:
    page = person.send("/detectors/new", name="Guard", algorithm=FOREST, **{"parameter-n_trees": "none"})
    assert "One field below is wrong." in page
    assert 'value="none"' in page
    page = person.send("/detectors/new", name=" ", algorithm=FOREST, columns="a\na")
    assert 'role="alert"' in page
    assert "a\na</textarea>" in page


def test_trained_used_and_shown(person: Any, dataset: str) -> None:
    address = make(person)
    page = person.see(address)
    assert "Shop visits</option>" in page
    assert person.go(f"{address}/train", dataset=dataset) == address
    page = person.until_done(address)
    assert "Trained version 1" in page
    assert "Shop visits</a>" in page
    detector = address.rsplit("/", 1)[1]
    assert f"detector={detector}" in person.see(f"/detections/new?detector={detector}")
    page = person.see(f"/detections/new?dataset={dataset}&detector={detector}")
    assert "With detector “Guard”" in page
    result = person.go("/detections/new", dataset=dataset, detector=detector)
    assert "Detector “Guard”" in person.until_done(result)


def test_training_on_a_table_without_its_columns(person: Any, dataset: str) -> None:
    address = make(person, columns="height")
    page = person.send(f"{address}/train", dataset=dataset)
    assert "has no column 'height'" in page
    page = person.send("/detections/new", dataset=dataset, detector=address.rsplit("/", 1)[1])
    assert "has no column 'height'" in page


def test_while_it_is_trained_it_cannot_be_changed(person: Any, dataset: str, worker: Any) -> None:
    worker.stop()
    address = make(person)
    person.go(f"{address}/train", dataset=dataset)
    assert "Training" in person.see(address)
    page = person.send(f"{address}/edit", 409, name="Guard", algorithm=FOREST, **{"parameter-n_trees": "31"})
    assert "is being trained" in page
    assert 'value="31"' in page


def test_a_detector_is_seen_by_its_owner_only(person: Any, viewer: Any) -> None:
    viewer.see(make(person), 404)


def test_a_detector_trained_on_somebody_elses_table_still_shows(
    person: Any, administrator: Any, worker: Any
) -> None:
    address = make(person)
    table = administrator.upload(
        b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * 7 % 31) for i in range(99)), "hers.csv"
    )
    administrator.until_done(table)
    administrator.go(f"{address}/train", dataset=table.rsplit("/", 1)[1])
    page = person.until_done(address)
    assert "Trained version 1" in page
    assert "hers" not in page
    assert "hers</a>" in administrator.see(address)


def test_the_threshold_is_chosen_shown_and_moved(person: Any, dataset: str) -> None:
    """A way and its number, without JavaScript; for one search with a trained detector, or for good."""
    address = make(person, flag="max_alerts", **{"flag-value": "5"})
    assert "at most 5 training rows" in person.see(address)
    page = person.see(f"{address}/edit")
    assert '<option value="max_alerts" selected>' in page
    assert 'name="flag-value" type="text" value="5"' in page
    person.go(f"{address}/train", dataset=dataset)
    page = person.until_done(address)
    assert "Training rows that stand out" in page
    fields = {"dataset": dataset, "detector": address.rsplit("/", 1)[1]}
    page = person.see(f"/detections/new?dataset={dataset}&detector={fields['detector']}")
    assert 'name="flag" value="max_alerts" checked' in page
    assert 'name="flag-max_alerts" value="5"' in page
    page = person.send("/detections/new", **fields, flag="fdr", **{"flag-fdr": "200"})
    assert "One field below is wrong." in page
    assert "Type a percentage above 0, at most 50." in page
    assert 'name="flag" value="fdr" checked' in page
    assert 'name="flag-fdr" value="200"' in page
    for way, number, said in (("max_alerts", "2", "2 of 300 rows"), ("quantile", "0.99", "3 of 300 rows")):
        result = person.go("/detections/new", **fields, flag=way, **{f"flag-{way}": number})
        page = person.until_done(result)
        assert said in page
        assert "Estimated contamination:" in page
    assert "above the 0.99 quantile of the training scores" in page
    change = {"name": "Guard", "algorithm": FOREST, "seed": "1", "parameter-n_trees": "30"}
    assert person.go(f"{address}/edit", **change, flag="fdr", **{"flag-value": "0.2"}) == address
    page = person.see(address)
    assert "Trained version 1" in page
    assert "false alarms at most 20" in page


def test_a_score_chosen_by_hand_stays(person: Any, dataset: str, database: Database) -> None:
    """A search with the detector uses it, unless something else is chosen for this once."""
    address = make(person)
    person.go(f"{address}/train", dataset=dataset)
    person.until_done(address)
    fields = {"dataset": dataset, "detector": address.rsplit("/", 1)[1]}
    with database.session() as session:
        session.get_one(Detector, fields["detector"]).threshold = 0.125
    assert "scores above 0.125, chosen by hand" in person.see(address)
    page = person.see(f"/detections/new?dataset={dataset}&detector={fields['detector']}")
    assert 'name="flag" value="own" checked' in page
    assert "scores above 0.125, chosen by hand" in page
    for way, said in (("own", "above the threshold of 0.125."), ("auto", "those that stand out")):
        page = person.until_done(person.go("/detections/new", **fields, flag=way))
        assert said in page
        assert ("chosen by hand" in page) is (way == "own")


def test_a_new_name_leaves_the_rest(person: Any, dataset: str, database: Database) -> None:
    """Model, description and a threshold that was chosen by hand; another choice takes its place."""
    address = make(person)
    person.go(f"{address}/train", dataset=dataset)
    person.until_done(address)
    with database.session() as session:
        found = session.get_one(Detector, address.rsplit("/", 1)[1])
        found.threshold, found.description = 0.125, "Of every shop."
    page = person.see(f"{address}/edit")
    assert '<option value="own" selected>scores above 0.125, chosen by hand</option>' in page
    fields = {"algorithm": FOREST, "parameter-n_trees": "30", "seed": "1"}
    person.go(f"{address}/edit", name="Watch", flag="own", **fields)
    with database.session() as session:
        found = session.get_one(Detector, address.rsplit("/", 1)[1])
        assert (found.name, found.threshold, found.description) == ("Watch", 0.125, "Of every shop.")
        assert found.model_id is not None
    person.go(f"{address}/edit", name="Watch", flag="max_alerts", **fields, **{"flag-value": "7"})
    with database.session() as session:
        found = session.get_one(Detector, address.rsplit("/", 1)[1])
        assert (found.threshold, found.max_alerts) == (None, 7)
