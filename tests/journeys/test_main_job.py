"""The main job over HTTP: a table in, ranked anomalies with reasons out, the same as from the library."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

import pynomaly
from pynomaly.detection.catalogue import CATALOGUE
from pynomaly.tables import read

SORTS = ("-score", "score", "row", "-row")


def test_upload_profiles_the_table(ada: Any, dataset: Any) -> None:
    """The answer to a waiting upload has types, missing, quantiles and histograms."""
    assert (dataset["status"], dataset["n_rows"], dataset["n_columns"]) == ("ready", 400, 5)
    columns = {column["name"]: column for column in dataset["columns"]}
    assert [columns[name]["type"] for name in ("amount", "shop", "when")] == [
        "number",
        "category",
        "timestamp",
    ]
    amount = columns["amount"]
    assert amount["missing"] == 0
    assert amount["max"] == 90_250
    assert set(amount["quantiles"]) == {"p01", "p05", "p25", "p50", "p75", "p95", "p99"}
    assert sum(amount["histogram"]["counts"]) == 400
    assert columns["shop"]["top"][0]["count"] > 100
    assert ada.get(f"/datasets/{dataset['id']}") == dataset
    assert dataset["id"] in [item["id"] for item in ada.every("/datasets", limit=2)]


def test_rows_of_a_dataset_are_its_file(ada: Any, dataset: Any, payments: Path) -> None:
    """All pages together are the table, in file order."""
    rows = ada.every(f"/datasets/{dataset['id']}/rows", limit=150)
    assert [row["row"] for row in rows] == list(range(400))
    with payments.open(encoding="utf-8") as file:
        truth = list(csv.DictReader(file))
    assert [row["values"]["shop"] for row in rows] == [row["shop"] for row in truth]
    assert [row["values"]["amount"] for row in rows] == [float(row["amount"]) for row in truth]


def test_result_is_the_librarys(result: Any, payments: Path, ada: Any) -> None:
    """Scores, threshold, verdicts, accuracy and reasons equal what the library finds in the same file."""
    found = pynomaly.detect(payments, label_column="is_fraud")
    assert result["status"] == "completed"
    assert (result["n_rows"], result["n_anomalies"]) == (400, found.n_anomalies)
    assert result["threshold"] == found.threshold
    assert result["score_histogram"] == found.score_histogram()
    assert result["metrics"]["auc_roc"] == found.metrics["auc_roc"] == 1.0
    assert result["metrics"]["average_precision"] == found.metrics["average_precision"]
    phases = result["metrics"]["phases"]
    assert {"fit", "score", "explain"} <= set(phases)
    assert all(phase["seconds"] >= 0 and phase["peak_mib"] > 0 for phase in phases.values())
    rows = ada.every(f"/detection/results/{result['id']}/rows", limit=200)
    assert [row["row"] for row in rows] == found.order.tolist()
    assert [row["score"] for row in rows] == found.scores[found.order].tolist()
    assert [row["p_value"] for row in rows] == found.p_values[found.order].tolist()
    assert [row["is_anomaly"] for row in rows] == found.is_anomaly[found.order].tolist()
    for row, anomaly in zip(rows[:5], found.top(5), strict=True):
        assert row["reasons"] == json.loads(json.dumps([reason.json() for reason in anomaly.reasons]))
        assert row["values"] == anomaly.values
    assert {row["row"] for row in rows[:3]} == {50, 150, 250}
    assert rows[0]["reasons"][0]["text"]


@pytest.mark.parametrize("sort", SORTS)
def test_pages_cover_every_row_once_in_order(ada: Any, result: Any, sort: str) -> None:
    """Whatever the order and the page size, nothing is missed or repeated."""
    rows = ada.every(f"/detection/results/{result['id']}/rows", sort=sort, limit=90)
    key = [row["rank" if "score" in sort else "row"] for row in rows]
    backward = sort in ("score", "-row")
    assert key == sorted(range(400) if sort.endswith("row") else range(1, 401), reverse=backward)


def test_top_rows_have_reasons_even_when_not_flagged(ada: Any, result: Any) -> None:
    """The first hundred rows are explained; the last is not."""
    path = f"/detection/results/{result['id']}/rows"
    assert all(row["reasons"] for row in ada.get(path, limit=100)["items"])
    assert ada.get(path, sort="score", limit=1)["items"][0]["reasons"] == []


def test_exports_hold_all_rows(ada: Any, result: Any, tmp_path: Path) -> None:
    """CSV, JSON and Parquet have every row by rank, with result columns and values."""
    rows = ada.every(f"/detection/results/{result['id']}/rows", limit=200)
    path = f"/api/v1/detection/results/{result['id']}/export"
    answer = ada.http.get(path)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "payments%20anomalies.csv" in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert [int(line["row"]) for line in lines] == [row["row"] for row in rows]
    assert [float(line["score"]) for line in lines] == [row["score"] for row in rows]
    assert lines[0]["reasons"] == "; ".join(reason["text"] for reason in rows[0]["reasons"])
    assert {line["shop"] for line in lines} == {"books", "food", "'=shoes"}  # no spreadsheet runs it
    listed = ada.http.get(path, params={"format": "json"}).json()
    assert [(line["row"], line["reasons"], line["shop"]) for line in listed] == [
        (row["row"], row["reasons"], row["values"]["shop"]) for row in rows
    ]
    file = tmp_path / "export.parquet"
    file.write_bytes(ada.http.get(path, params={"format": "parquet"}).content)
    with read(file) as table:
        assert table.n_rows == 400
        assert [row["row"] for row in table.rows(range(400), ["row"])] == [row["row"] for row in rows]


def test_exports_leave_no_file(ada: Any, result: Any, installation: Any) -> None:
    """What an export wrote is gone once it is sent."""
    assert ada.http.get(f"/api/v1/detection/results/{result['id']}/export").status_code == 200
    assert not [path for path in installation.files() if path.endswith(".csv")]


def test_without_waiting_the_answer_is_202_and_a_place_to_look(ada: Any, payments: Path) -> None:
    """Upload and detection run on; `Location` and the job say how far they are."""
    answer = ada.http.post("/api/v1/datasets/upload", files={"file": ("p.csv", payments.read_bytes())})
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/datasets/{answer.json()['id']}"
    dataset = ada.ended(f"/datasets/{answer.json()['id']}", ("processing",))
    assert dataset["status"] == "ready"
    assert dataset["name"] == "p"
    answer = ada.http.post("/api/v1/detection/detect", json={"dataset_id": dataset["id"]})
    begun = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/v1/detection/results/{begun['id']}"
    assert set(begun) == {"id", "job_id", "status"}
    assert begun["status"] == "queued"
    job = ada.ended(f"/jobs/{begun['job_id']}")
    assert (job["status"], job["progress"], job["subject_id"]) == ("completed", 1.0, begun["id"])
    result = ada.get(f"/detection/results/{begun['id']}")
    assert (result["status"], result["progress"]) == ("completed", 1.0)
    assert begun["id"] in [item["id"] for item in ada.every("/detection/results", limit=1)]


@pytest.mark.any_database
@pytest.mark.parametrize("algorithm", [name for name, entry in CATALOGUE.items() if entry.extra is None])
def test_every_algorithm_runs(ada: Any, dataset: Any, payments: Path, algorithm: str) -> None:
    """Each algorithm of the catalogue gives over HTTP what it gives in the library."""
    body = {"dataset_id": dataset["id"], "algorithm": algorithm, "columns": ["amount", "age"], "seed": 3}
    result = ada.post("/detection/detect", 201, {**body, "contamination": 0.02}, wait=30)
    found = pynomaly.detect(payments, algorithm, columns=["amount", "age"], seed=3, contamination=0.02)
    assert (result["status"], result["algorithm"]) == ("completed", algorithm)
    assert (result["threshold"], result["n_anomalies"]) == (found.threshold, found.n_anomalies)
    assert result["contamination"] == 0.02


def test_a_detectors_life(ada: Any, dataset: Any, payments: Path) -> None:
    """Define, train, detect, train again, change: versions count up, and a change makes it untrained."""
    forest = {"algorithm": "isolation_forest", "columns": ["amount"]}
    detector = ada.post("/detectors", 201, {"name": "d", "parameters": {"n_trees": 50}, **forest})
    path = f"/detectors/{detector['id']}"
    assert (detector["status"], detector["model"]) == ("untrained", None)
    assert detector["parameters"]["max_samples"] == "auto"
    assert detector["contamination"] == "auto"
    trained = ada.post(f"{path}/train", 200, {"dataset_id": dataset["id"]}, wait=30)
    assert (trained["status"], trained["model"]["version"]) == ("trained", 1)
    assert trained["model"]["columns"] == [{"name": "amount", "type": "number"}]
    body = {"dataset_id": dataset["id"], "detector_id": detector["id"]}
    result = ada.post("/detection/detect", 201, body, wait=30)
    assert result["model_id"] == trained["model_id"]
    assert result["detector_id"] == detector["id"]
    assert result["threshold"] == trained["model"]["threshold"]
    fitted = pynomaly.Detector("isolation_forest", columns=["amount"], n_trees=50).fit(payments)
    assert result["threshold"] == fitted.threshold
    again = ada.post(f"{path}/train", 200, {"dataset_id": dataset["id"]}, wait=30)
    assert (again["model"]["version"], again["model"]["threshold"]) == (2, fitted.threshold)
    renamed = ada.send("PUT", path, 200, json={"name": "e", "parameters": {"n_trees": 50}, **forest})
    assert (renamed["name"], renamed["status"]) == ("e", "trained")
    changed = ada.send("PUT", path, 200, json={"name": "e", **forest})
    assert (changed["status"], changed["model"], changed["parameters"]["n_trees"]) == ("untrained", None, 100)
    assert ada.get(path) == changed
    assert detector["id"] in [item["id"] for item in ada.every("/detectors", limit=1)]


def test_an_untrained_detector_is_trained_first(ada: Any, dataset: Any) -> None:
    """The first detection trains it; the second one uses the same model."""
    detector = ada.post("/detectors", 201, {"name": "fresh"})
    body = {"dataset_id": dataset["id"], "detector_id": detector["id"]}
    first = ada.post("/detection/detect", 201, body, wait=30)
    assert "fit" in first["metrics"]["phases"]
    trained = ada.get(f"/detectors/{detector['id']}")
    assert (trained["status"], trained["model"]["version"]) == ("trained", 1)
    assert trained["model_id"] == first["model_id"]
    second = ada.post("/detection/detect", 201, body, wait=30)
    assert second["model_id"] == first["model_id"]
    assert "fit" not in second["metrics"]["phases"]


def test_columns_may_come_in_any_order_with_others_beside_them(ada: Any, dataset: Any) -> None:
    """A detector scores a table whose columns are arranged otherwise."""
    body = {"name": "two", "columns": ["amount", "age"]}
    detector = ada.post("/detectors", 201, body)
    ada.post(f"/detectors/{detector['id']}/train", 200, {"dataset_id": dataset["id"]}, wait=30)
    lines = ["extra,age,amount", *(f"x{i},{30 + i % 9}.5,{40 + i % 11}.25" for i in range(30))]
    other = ada.upload("\n".join(lines).encode(), "other.csv", name="Other table")
    assert other["name"] == "Other table"
    body = {"dataset_id": other["id"], "detector_id": detector["id"]}
    assert ada.post("/detection/detect", 201, body, wait=30)["n_rows"] == 30


def test_catalogue(ada: Any) -> None:
    """The algorithms with their parameters, defaults, ranges and help."""
    items = ada.get("/detectors/algorithms")["items"]
    assert [item["name"] for item in items] == list(CATALOGUE)
    assert items == [entry.json() for entry in CATALOGUE.values()]
    assert items[0]["name"] == ada.post("/detectors", 201, {"name": "default"})["algorithm"] == "auto"
    [forest] = [item for item in items if item["name"] == "isolation_forest"]
    trees = forest["parameters"][0]
    assert (trees["name"], trees["default"], trees["minimum"]) == ("n_trees", 100, 1)
    assert trees["help"]


def test_the_api_process_loads_no_numeric_library(
    ada: Any, dataset: Any, result: Any, installation: Any
) -> None:
    """After serving all of these routes, no numpy, numba or scikit-learn is mapped into it."""
    for path in (f"/datasets/{dataset['id']}/rows", f"/detection/results/{result['id']}/rows"):
        ada.get(path)
    ada.http.get(f"/api/v1/detection/results/{result['id']}/export").raise_for_status()
    maps = Path(f"/proc/{installation.process.pid}/maps").read_text()
    assert "duckdb" in maps
    for library in ("numpy", "numba", "llvmlite", "sklearn", "scipy", "pandas", "pyarrow"):
        assert f"/{library}/" not in maps
