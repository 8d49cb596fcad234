"""The threshold over HTTP: four ways, one at a time, for a detector or for one detection with it."""

import random
from typing import Any

import httpx
import pytest
from alembic import command
from sqlalchemy import text

import pynomaly
from pynomaly.server import migrate
from pynomaly.server.db import make_engine
from pynomaly.settings import Settings

pytestmark = pytest.mark.any_database

WAYS = ("contamination", "max_alerts", "fdr", "quantile")


HEADER = ["a", "b", "c"]


def numbers() -> list[list[float]]:
    """Rows of which the last six are far out."""
    source = random.Random(0)
    rows = [[source.gauss(0, 1), source.gauss(5, 2), source.gauss(0, 1)] for _ in range(294)]
    return rows + [[90.0 + i, -70.0 - i, 80.0 + i] for i in range(6)]


def library(**ways: Any) -> pynomaly.Result:
    """What the library finds in the same table."""
    columns = dict(zip(HEADER, zip(*numbers(), strict=True), strict=True))
    found = pynomaly.detect({name: list(values) for name, values in columns.items()}, "knn", **ways)
    assert 6 <= round(found.estimated_contamination * 300) <= 8  # six were planted, a fifth may be false
    return found


@pytest.fixture
def dataset(api: httpx.Client, worker: Any) -> str:
    """A stored table of 300 rows; six are far out."""
    lines = [",".join(map(str, row)) for row in [HEADER, *numbers()]]
    files = {"file": ("t.csv", "\n".join(lines))}
    answer = api.post("/api/v1/datasets/upload", files=files, headers={"Prefer": "wait=50"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def done(api: httpx.Client, path: str, body: dict[str, Any], status: int = 201) -> Any:
    answer = api.post(f"/api/v1{path}", json=body, headers={"Prefer": "wait=50"})
    assert answer.status_code == status, answer.text
    return answer.json()


def chosen(answer: dict[str, Any]) -> dict[str, Any]:
    return {way: answer[way] for way in WAYS if answer[way] is not None}


def test_detections_choose_what_to_flag(api: httpx.Client, dataset: str) -> None:
    body = {"dataset_id": dataset, "algorithm": "knn"}
    for ways, n_anomalies in (
        ({}, library().n_anomalies),
        ({"contamination": 0.1}, 30),
        ({"max_alerts": 4}, 4),
        ({"fdr": 0.1}, library(fdr=0.1).n_anomalies),
        ({"quantile": 0.99}, 3),
    ):
        result = done(api, "/detection/detect", body | ways)
        assert chosen(result) == (ways or {"contamination": "auto"})
        assert result["n_anomalies"] == n_anomalies
        assert result["estimated_contamination"] == library().estimated_contamination


def test_a_detectors_threshold_moves_without_training(api: httpx.Client, dataset: str) -> None:
    recipe = {"name": "d", "algorithm": "knn", "max_alerts": 5}
    detector = done(api, "/detectors", recipe)
    assert chosen(detector) == {"max_alerts": 5}
    path = f"/detectors/{detector['id']}"
    model = done(api, f"{path}/train", {"dataset_id": dataset}, 200)["model"]
    assert model["estimated_contamination"] == library().estimated_contamination
    body = {"dataset_id": dataset, "detector_id": detector["id"]}
    own = done(api, "/detection/detect", body)
    assert (own["n_anomalies"], own["threshold"]) == (5, model["threshold"])
    for ways, n_anomalies in (
        ({"quantile": 0.9}, 30),
        ({"contamination": "auto"}, library().n_anomalies),
        ({"max_alerts": 2}, 2),
    ):
        result = done(api, "/detection/detect", body | ways)
        assert (chosen(result), result["n_anomalies"]) == (ways, n_anomalies)
        assert result["model_id"] == model["id"]
    answer = api.put(f"/api/v1{path}", json={"name": "d", "algorithm": "knn", "fdr": 0.1}).json()
    assert (answer["status"], answer["model_id"], chosen(answer)) == ("trained", model["id"], {"fdr": 0.1})
    assert done(api, "/detection/detect", body)["n_anomalies"] == library(fdr=0.1).n_anomalies
    answer = api.put(f"/api/v1{path}", json={"name": "d", "algorithm": "knn", "seed": 2}).json()
    assert (answer["status"], chosen(answer)) == ("untrained", {"contamination": "auto"})


@pytest.mark.parametrize(
    ("ways", "code"),
    [
        ({"fdr": 0.1, "max_alerts": 3}, "bad_parameter"),
        ({"contamination": "auto", "quantile": 0.9}, "bad_parameter"),
        ({"fdr": 0.7}, "bad_parameter"),
        ({"max_alerts": 0}, "bad_parameter"),
        ({"max_alerts": 2**60}, "bad_parameter"),
        ({"quantile": 0}, "bad_parameter"),
        ({"max_alerts": 1.5}, "invalid_request"),
        ({"fdr": "auto"}, "invalid_request"),
    ],
)
def test_what_makes_no_sense_is_refused(api: httpx.Client, ways: dict[str, Any], code: str) -> None:
    answer = api.post("/api/v1/detectors", json={"name": "d"} | ways)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_the_schema_names_the_four_ways(api: httpx.Client) -> None:
    schemas = api.get("/api/v1/openapi.json").json()["components"]["schemas"]
    for name in ("DetectorBody", "DetectBody", "DetectorDetail", "DetectionAnswer"):
        assert set(WAYS) <= schemas[name]["properties"].keys()
    assert "estimated_contamination" in schemas["DetectionAnswer"]["properties"]


def test_what_was_stored_before_the_ways_chose_by_contamination(empty_settings: Settings) -> None:
    """Rows of schema 0001 survive the way up and down."""
    engine = make_engine(empty_settings)
    migrate.upgrade(empty_settings)
    with engine.begin() as connection:
        command.downgrade(migrate.configuration(connection), "0001")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO users (id, email, name, password_hash, role, active, created_at) "
                "VALUES ('u', 'a@example.org', '', 'x', 'user', true, '2026-01-01 00:00:00')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO detectors (id, owner_id, name, algorithm, parameters, contamination, seed, "
                "status, created_at, updated_at) VALUES ('d', 'u', 'n', 'knn', '{}', 0.02, 0, "
                "'untrained', '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
            )
        )
    migrate.upgrade(empty_settings)
    with engine.begin() as connection:
        row = connection.execute(text("SELECT contamination, max_alerts, fdr, quantile FROM detectors")).one()
    assert tuple(row) == (0.02, None, None, None)
    engine.dispose()
