"""Results side by side: the numbers against scipy and plain Python, and what may be compared."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from scipy import stats

from pynomaly.export import write_ranked
from pynomaly.server import process
from pynomaly.server.detections import comparison

sys.path.insert(0, str(Path(__file__).parents[1]))

from trained_rows import csv, done, rows

N = 400


def write(path: Path, scores: np.ndarray[Any, Any], flagged: np.ndarray[Any, Any]) -> None:
    """A result's file."""
    columns = {"row": np.arange(N), "score": scores, "p_value": scores * 0, "is_anomaly": flagged}
    told: dict[str, dict[int, str]] = {"summary": {}, "reasons": {}, "nearest_normal": {}}
    write_ranked(path, columns, np.argsort(-scores, kind="stable"), told)


@pytest.mark.parametrize("decimals", [9, 1, 0])
def test_against_scipy(tmp_path: Path, decimals: int) -> None:
    """With few and with many equal scores; in the limited process as in this one."""
    rng = np.random.default_rng(decimals)
    base = rng.normal(size=N)
    scores = [np.round(base + rng.normal(size=N) * noise, decimals) for noise in (0.2, 1.0, 5.0)]
    flagged = [one > 1.5 for one in scores]
    files = [str(tmp_path / f"{i}.parquet") for i in range(3)]
    for path, one, odd in zip(files, scores, flagged, strict=True):
        write(Path(path), one, odd)
    payload = {"results": files, "n_rows": N, "memory_mib": 64}
    payload["n_anomalies"] = [int(one.sum()) for one in flagged]
    found = process.run(
        "pynomaly.server.detections.comparison:run", payload, memory_mib=1024, timeout_seconds=60
    )
    for i in range(3):
        for j in range(3):
            expected = stats.spearmanr(scores[i], scores[j]).statistic
            assert found["spearman"][i][j] == pytest.approx(expected, abs=1e-9)
    masks = Counter(sum(int(odd[row]) << i for i, odd in enumerate(flagged)) for row in range(N))
    assert found["combinations"] == [masks[mask] for mask in range(8)]
    ranks = [stats.rankdata(-one, method="average") for one in scores]
    factor = np.max(ranks, axis=0) / np.min(ranks, axis=0)
    assert len(found["rows"]) == comparison.TOP
    told = [factor[row["row"]] for row in found["rows"]]
    assert told == sorted(factor, reverse=True)[: comparison.TOP]
    first = found["rows"][0]
    assert first["ranks"] == [one[first["row"]] for one in ranks]
    assert first["is_anomaly"] == [bool(odd[first["row"]]) for odd in flagged]
    json.dumps(found, allow_nan=False)


def test_results_that_are_alike(tmp_path: Path) -> None:
    """No row differs; equal scores everywhere have no order to compare."""
    ranks = [comparison.tied_ranks(np.ones(5))] * 2
    assert ranks[0].tolist() == [3.0] * 5
    assert comparison.correlations(ranks) == [[None, None], [None, None]]
    assert comparison.most_different(ranks, np.zeros(5, dtype=np.uint8)) == []
    assert comparison.tied_ranks(np.zeros(0)).tolist() == []


@pytest.mark.any_database
@pytest.mark.usefixtures("worker")
def test_over_http(api: httpx.Client, log_in: Any) -> None:
    """Counts agree with the rows; only finished results of one dataset that one may see."""
    first, other = (done(api, "/datasets/upload", files={"file": ("t.csv", csv(rows(n)))}) for n in (90, 80))
    body = {"dataset_id": first["id"], "algorithm": "knn", "contamination": 0.1}
    runs = [
        done(api, "/detection/detect", json=body),
        done(api, "/detection/detect", json=body | {"parameters": {"n_neighbors": 3}}),
        done(api, "/detection/detect", json=body | {"algorithm": "isolation_forest", "seed": 3}),
    ]
    ids = [run["id"] for run in runs]
    answer = api.get("/api/v1/detection/compare", params={"ids": ",".join(ids)})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    flagged = [
        {
            row["row"]
            for row in api.get(f"/api/v1/detection/results/{id_}/rows?limit=200").json()["items"]
            if row["is_anomaly"]
        }
        for id_ in ids
    ]
    assert [item["n_anomalies"] for item in told["results"]] == [len(one) for one in flagged]
    assert sum(one["count"] for one in told["overlap"]) == len(set.union(*flagged))
    for one in told["overlap"]:
        inside = set.intersection(*(flagged[ids.index(id_)] for id_ in one["ids"]))
        others = [flagged[i] for i, id_ in enumerate(ids) if id_ not in one["ids"]]
        assert one["count"] == len(inside - set().union(*others))
    for pair in told["pairs"]:
        a, b = (flagged[ids.index(id_)] for id_ in pair["ids"])
        assert pair["jaccard"] == pytest.approx(len(a & b) / len(a | b))
    differences = {one["field"]: one["values"] for one in told["differences"]}
    assert differences["algorithm"] == ["knn", "knn", "isolation_forest"]
    assert differences["seed"] == [0, 0, 3]
    assert differences["parameters.n_neighbors"][1] == 3
    assert "contamination" not in differences
    assert all(item["seconds"] > 0 for item in told["results"])
    assert told["rows"][0]["values"].keys() == {"amount", "size", "country", "at"}
    only = api.get("/api/v1/detection/compare", params={"ids": ",".join(ids), "fields": "overlap"}).json()
    assert only == {"overlap": told["overlap"]}

    elsewhere = done(api, "/detection/detect", json=body | {"dataset_id": other["id"]})["id"]
    unknown = "00000000-0000-4000-8000-000000000000"
    waiting = api.post("/api/v1/detection/detect", json=body | {"columns": ["nope"]})
    assert waiting.status_code == 422
    for wrong, status in (
        (ids[:1], 422),
        ([ids[0], ids[0]], 422),
        (ids * 2, 422),
        ([ids[0], elsewhere], 422),
        ([ids[0], unknown], 404),
        ([ids[0], "x"], 404),
        ([""], 422),
    ):
        answer = api.get("/api/v1/detection/compare", params={"ids": ",".join(wrong)})
        assert answer.status_code == status, (wrong, answer.text)
    stranger = log_in("eve@example.org").get("/api/v1/detection/compare", params={"ids": ",".join(ids)})
    assert stranger.status_code == 404
