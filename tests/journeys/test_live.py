"""On a real server with its worker: a batch is followed over the WebSocket; rows are scored at once."""

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

CSV = b"a,b\n" + b"".join(b"%d.5,%d.25\n" % (i % 13, i % 7) for i in range(90)) + b"400,-90\n"


def test_a_batch_from_start_to_end(ada: Any, installation: Any) -> None:
    """The parent and its children are told until all have ended; the same rows score the same at once."""
    datasets = [ada.upload(CSV)["id"] for _ in range(2)]
    detectors = [
        ada.post("/detectors", 201, {"name": f"live {i}", "algorithm": "knn"})["id"] for i in range(2)
    ]
    for detector in detectors:
        ada.post(f"/detectors/{detector}/train", 200, {"dataset_id": datasets[0]}, wait=30)
    token = ada.http.headers["authorization"]
    address = installation.url.replace("http://", "ws://") + "/ws"
    with connect(address, additional_headers=[("Authorization", token)], proxy=None) as socket:
        started = ada.post("/detection/batch", 202, {"dataset_ids": datasets, "detector_ids": detectors})
        waiting = {started["id"], *(item["job_id"] for item in started["items"])}
        socket.send(json.dumps({"subscribe": {"jobs": sorted(waiting)}}))
        while waiting:
            job = json.loads(socket.recv(timeout=60))["job"]
            if job["status"] in ("completed", "failed", "cancelled"):
                assert job["status"] == "completed", job
                waiting.discard(job["id"])
        socket.send("x" * 70_000)
        with pytest.raises(ConnectionClosed) as found:
            socket.recv(timeout=10)
        assert found.value.rcvd is not None
        assert found.value.rcvd.code == 1009
    parent = ada.get(f"/jobs/{started['id']}")
    assert (parent["status"], parent["children"]["completed"]) == ("completed", 4)
    row = ada.get(f"/detection/results/{started['items'][0]['id']}/rows", limit=1)["items"][0]
    body = {"detector_id": detectors[0], "rows": [{"a": 400, "b": -90}]}
    scored = ada.post("/detection/score", 200, body)["items"][0]
    assert (scored["score"], scored["p_value"]) == (row["score"], row["p_value"])
    ids = ",".join(item["id"] for item in started["items"][:2])
    assert ada.get("/detection/compare", ids=ids)["pairs"][0]["spearman"] == 1.0
