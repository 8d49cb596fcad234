"""The threshold of a result is moved without training: everybody who reads rows sees it."""

import csv as csv_reader
import io
import json
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from trained_rows import csv, done, rows

pytestmark = pytest.mark.any_database
RESULTS = "/api/v1/detection/results"


@pytest.fixture
def result(api: httpx.Client, worker: Any) -> Any:
    """A result on ninety rows, a fifth of them flagged."""
    dataset = done(api, "/datasets/upload", files={"file": ("t.csv", csv(rows(90)))})["id"]
    recipe = {"dataset_id": dataset, "algorithm": "knn", "contamination": 0.2}
    return done(api, "/detection/detect", json=recipe)


def get(api: httpx.Client, path: str, **query: Any) -> Any:
    answer = api.get(f"{RESULTS}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_reader_goes_by_it(api: httpx.Client, result: Any) -> None:
    """Count, rows, filters, export and comparison; putting it back is as if nothing had been."""
    id_, before = result["id"], result["n_anomalies"]
    ranked = get(api, f"{id_}/rows", limit=90)["items"]
    flagged = [row["row"] for row in ranked if row["is_anomaly"]]
    assert before == len(flagged) > 5
    look = get(api, f"{id_}/threshold", max_alerts=5)
    assert look["n_anomalies"] == 5
    assert ranked[5]["score"] <= look["threshold"] < ranked[4]["score"]
    assert get(api, id_)["n_anomalies"] == before, "looking changes nothing"

    moved = api.put(f"{RESULTS}/{id_}/threshold", json={"threshold": look["threshold"]}).json()
    assert moved == look
    now = get(api, id_)
    assert (now["n_anomalies"], now["threshold"]) == (5, look["threshold"])
    assert now["run_threshold"] == result["threshold"] == look["run_threshold"]
    top = get(api, f"{id_}/rows", only="anomalies")["items"]
    assert [row["row"] for row in top] == flagged[:5]
    below = get(api, f"{id_}/rows", only="normal", limit=1)["items"][0]
    assert (below["row"], below["is_anomaly"]) == (flagged[5], False)
    assert below["summary"].startswith("Not flagged")
    text = api.get(f"{RESULTS}/{id_}/export").text
    lines = list(csv_reader.DictReader(io.StringIO(text)))
    assert [line["is_anomaly"] for line in lines] == ["true"] * 5 + ["false"] * 85
    assert lines[5]["summary"] == below["summary"]
    where = json.dumps([["amount", "ge", str(ranked[0]["values"]["amount"])]])
    part = api.get(f"{RESULTS}/{id_}/export", params={"format": "json", "only": "anomalies", "where": where})
    assert {line["row"] for line in part.json()} <= set(flagged[:5])
    assert 0 < len(part.json()) <= 5

    assert api.delete(f"{RESULTS}/{id_}/threshold").status_code == 204
    assert get(api, id_) == result
    assert [row["row"] for row in get(api, f"{id_}/rows", only="anomalies")["items"]] == flagged


def test_comparison_goes_by_it(api: httpx.Client, result: Any) -> None:
    """Two equal results differ in what they flag once one's threshold is moved."""
    other = done(
        api,
        "/detection/detect",
        json={"dataset_id": result["dataset_id"], "algorithm": "knn", "contamination": 0.2},
    )
    assert api.put(f"{RESULTS}/{other['id']}/threshold", json={"max_alerts": 4}).status_code == 200
    compared = api.get("/api/v1/detection/compare", params={"ids": f"{result['id']},{other['id']}"}).json()
    pair = compared["pairs"][0]
    assert (pair["n_both"], pair["n_either"]) == (4, result["n_anomalies"])
    assert "threshold" in [one["field"] for one in compared["differences"]]


@pytest.mark.parametrize("budget", [0, 1, 89, 90, 1000])
def test_alert_budgets(api: httpx.Client, result: Any, budget: int) -> None:
    """At most so many are flagged; all rows at most."""
    moved = api.put(f"{RESULTS}/{result['id']}/threshold", json={"max_alerts": budget}).json()
    assert moved["n_anomalies"] == min(budget, 90)
    assert get(api, f"{result['id']}/threshold") == moved


def test_what_is_refused(api: httpx.Client, result: Any, log_in: Any) -> None:
    """Nothing, both, no number; a stranger's; a viewer's."""
    path = f"{RESULTS}/{result['id']}/threshold"
    for body in ({}, {"threshold": 1, "max_alerts": 1}, {"max_alerts": -1}, {"threshold": "high"}):
        assert api.put(path, json=body).status_code == 422
    assert (
        api.put(path, content=b'{"threshold": NaN}', headers={"Content-Type": "application/json"}).status_code
        == 422
    )
    assert log_in("eve@example.org").get(path).status_code == 404
    assert log_in("mallory@example.org").put(path, json={"max_alerts": 1}).status_code == 404
