"""The form of a detection: at once, or otherwise; nothing typed is lost; a preview before the full run."""

import random
from typing import Any

import pytest

from pynomaly.server.db import Database
from pynomaly.server.detections.models import Detection, Preview

pytestmark = pytest.mark.any_database

FOREST = "isolation_forest"
TYPED: dict[str, Any] = {
    "algorithm": FOREST,
    "columns-shown": "1",
    "column": ["0"],
    "flag": "max_alerts",
    "flag-max_alerts": "7",
    "seed": "12",
    "parameter-n_trees": "33",
}


def test_one_button_is_enough(person: Any, dataset: str, database: Database) -> None:
    """A form that holds the dataset alone, as the dataset's page has it."""
    address = person.go("/detections/new", dataset=dataset)
    assert "Automatic" in person.until_done(address)
    with database.session(write=False) as session:
        found = session.get_one(Detection, address.rsplit("/", 1)[1])
        assert (found.algorithm, found.parameters, found.columns) == (
            "auto",
            {"clean_training": False},
            None,
        )


def test_another_algorithm_keeps_what_was_typed(person: Any, dataset: str) -> None:
    page = person.send("/detections/new", 200, dataset=dataset, **TYPED, choose="knn")
    assert '<input type="hidden" name="algorithm" value="knn">' in page
    assert 'name="parameter-n_neighbors" type="text" value="5"' in page
    assert 'name="flag" value="max_alerts" checked' in page
    assert 'name="flag-max_alerts" value="7"' in page
    assert 'name="seed" type="number" value="12"' in page
    assert 'name="column" value="0" checked' in page
    assert 'name="column" value="1">' in page
    assert "No results yet" in person.see("/detections")


def test_a_preset_fills_the_parameters_in(person: Any, dataset: str) -> None:
    page = person.send("/detections/new", 200, dataset=dataset, **TYPED, preset="thorough")
    assert 'name="parameter-n_trees" type="number" value="400"' in page
    assert 'name="flag-max_alerts" value="7"' in page
    pressed = page.split('value="thorough"')[1].split(">")[0]
    assert 'aria-pressed="true"' in pressed
    assert 'aria-pressed="true"' not in page.split('value="balanced"')[1].split(">")[0]
    page = person.send("/detections/new", 200, dataset=dataset, **TYPED, preset="nonsense")
    assert 'name="parameter-n_trees" type="number" value="33"' in page


@pytest.mark.parametrize(
    ("flag", "typed", "kept"),
    [
        ("contamination", "2.5", ("contamination", 0.025)),
        ("contamination", "2,5 %", ("contamination", 0.025)),
        ("max_alerts", "7", ("max_alerts", 7)),
        ("fdr", "10", ("fdr", 0.1)),
        ("quantile", "0.97", ("quantile", 0.97)),
    ],
)
def test_each_way_has_a_number_in_plain_units(
    person: Any, dataset: str, database: Database, flag: str, typed: str, kept: tuple[str, float]
) -> None:
    fields = {"flag": flag, f"flag-{flag}": typed, "algorithm": FOREST}
    address = person.go("/detections/new", dataset=dataset, **fields)
    with database.session(write=False) as session:
        found = session.get_one(Detection, address.rsplit("/", 1)[1])
        ways = {name: getattr(found, name) for name in ("contamination", "max_alerts", "fdr", "quantile")}
    assert {name: value for name, value in ways.items() if value is not None} == dict([kept])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"flag": "contamination", "flag-contamination": "80"}, "Type a percentage above 0, at most 50."),
        ({"flag": "max_alerts", "flag-max_alerts": ""}, "Type the number, such as 20."),
        ({"flag": "max_alerts", "flag-max_alerts": "0"}, "Type a whole number of rows, at least 1."),
        ({"flag": "quantile", "flag-quantile": "2"}, "Type a number above 0, at most 1."),
        ({"flag": "fdr", "flag-fdr": "nan"}, "Type a percentage above 0, at most 50."),
        ({"flag": "auto", "flag-max_alerts": "9"}, "Choose this, or empty its field."),
        ({"columns-shown": "1"}, "Keep at least one column."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    person: Any, dataset: str, fields: dict[str, str], said: str
) -> None:
    page = person.send("/detections/new", dataset=dataset, **fields)
    assert "One field below is wrong." in page
    assert said in page
    for name, value in fields.items():
        if name.startswith("flag-"):
            assert f'name="{name}" value="{value}"' in page


def many(n: int = 2600) -> bytes:
    """More rows than a preview looks at; the third column's name is an attack, the last is no use."""
    source = random.Random(5)
    lines = ["a,b,<script>alert(1)</script>,id"]
    for row in range(n):
        a = 800 if row % 50 == 0 else source.gauss(0, 1)
        lines.append(f"{a:.3f},{source.gauss(0, 1):.3f},{source.choice(['<b>x</b>', 'y'])},key-{row}")
    return "\n".join(lines).encode()


@pytest.fixture
def large(person: Any, worker: Any) -> str:
    """Identifier of a table that is larger than a preview."""
    address = person.upload(many())
    person.until_done(address)
    return str(address.rsplit("/", 1)[1])


def test_a_preview_comes_before_the_run(person: Any, large: str, database: Database) -> None:
    fields = TYPED | {"column": ["0", "2"], "flag-max_alerts": "26"}
    address = person.go("/detections/new", dataset=large, **fields, do="preview")
    assert address.startswith(f"/detections/new?dataset={large}&preview=")
    page = person.until_done(address)
    assert "of 2,000 sampled rows flagged" in page
    assert "Run on all 2,600 rows" in page
    assert 'name="parameter-n_trees" type="number" value="33"' in page
    assert 'name="flag-max_alerts" value="26"' in page
    assert 'name="column" value="1">' in page
    assert "No results yet" in person.see("/detections")
    assert person.http.get("/api/v1/detection/results").json()["items"] == []
    assert 'class="jobs-now"' not in person.see("/")
    preview = address.rsplit("=", 1)[1]
    result = person.go("/detections/new", dataset=large, algorithm=FOREST, preview=preview)
    assert "of 2,600 rows" in person.until_done(result)
    with database.session(write=False) as session:
        found = session.get_one(Detection, result.rsplit("/", 1)[1])
        assert (found.parameters["n_trees"], found.seed, found.max_alerts) == (33, 12, 26)
        assert found.columns == ["a", "<script>alert(1)</script>"]
    raw = person.http.get(address).text
    assert "<script>alert(1)</script>" not in raw
    assert "<b>x</b>" not in raw


def test_a_preview_of_another_is_gone(person: Any, large: str, administrator: Any) -> None:
    """Even an administrator's own page of the dataset does not take another's preview for its own result."""
    page = person.see(f"/detections/new?dataset={large}&preview=nonsense", 404)
    assert "That preview is gone" in page
    assert "Find anomalies" in page


def test_a_preview_goes_with_its_dataset(person: Any, large: str, database: Database) -> None:
    address = person.go("/detections/new", dataset=large, do="preview")
    person.until_done(address)
    assert person.http.delete(f"/api/v1/datasets/{large}").status_code == 204
    with database.session(write=False) as session:
        assert session.query(Preview).count() == 0


def test_a_wide_table_stays_usable(person: Any, worker: Any) -> None:
    names = ",".join(f"c{i}" for i in range(300))
    rows = "\n".join(",".join(str((i * 7 + r * 13) % 101) for i in range(300)) for r in range(60))
    address = person.upload(f"{names}\n{rows}\n".encode())
    person.until_done(address)
    dataset = address.rsplit("/", 1)[1]
    page = person.see(f"/detections/new?dataset={dataset}")
    assert page.count('name="column"') == 300
    result = person.go(
        "/detections/new", **{**TYPED, "dataset": dataset, "column": [str(i) for i in range(299)]}
    )
    assert "c298" in person.until_done(result)
