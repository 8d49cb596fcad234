"""Jobs that are cancelled or whose process dies: what they leave behind is in order, and work goes on."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

SLOW = {"algorithm": "one_class_svm", "parameters": {"method": "exact", "nu": 0.9}}


def children(installation: Any) -> list[psutil.Process]:
    """The processes that do the work of jobs: they lead a process group each."""
    found = psutil.Process(installation.process.pid).children(recursive=True)
    return [
        one for one in found if one.is_running() and os.getpgid(one.pid) == one.pid and not one.children()
    ]


def until_running(ada: Any, job_id: str) -> None:
    """Wait until a worker has taken the job."""
    assert ada.ended(f"/jobs/{job_id}", ("queued",))["status"] == "running"


def test_cancel_a_running_detection(ada: Any, large: Any) -> None:
    """Within seconds its process is gone; result, detector and job say so; the next job runs."""
    detector = ada.post("/detectors", 201, {"name": "slow", **SLOW})
    begun = ada.post("/detection/detect", 202, {"dataset_id": large["id"], "detector_id": detector["id"]})
    path = f"/detection/results/{begun['id']}"
    until_running(ada, begun["job_id"])
    assert ada.get(path)["status"] == "running"
    assert ada.get(f"/detectors/{detector['id']}")["status"] == "training"
    body = {"dataset_id": large["id"]}
    assert ada.post(f"/detectors/{detector['id']}/train", 409, body)["code"] == "not_ready"
    assert ada.send("PUT", f"/detectors/{detector['id']}", 409, json={"name": "slow"})["code"] == "not_ready"
    assert ada.post(f"/jobs/{begun['job_id']}/cancel", 200)["cancel_requested"]
    start = time.monotonic()
    result = ada.ended(path)
    assert time.monotonic() - start < 5
    assert (result["status"], result["error_code"]) == ("cancelled", "cancelled")
    assert result["finished_at"]
    assert ada.get(f"/jobs/{begun['job_id']}")["status"] == "cancelled"
    found = ada.get(f"/detectors/{detector['id']}")
    assert (found["status"], found["error_code"]) == ("failed", "cancelled")
    ada.get(f"{path}/rows", 409)
    assert ada.post(f"/jobs/{begun['job_id']}/cancel", 200)["status"] == "cancelled"
    assert ada.post("/detection/detect", 201, body, wait=30)["status"] == "completed"


def test_cancel_a_training(ada: Any, large: Any) -> None:
    """The detector is `failed`; with a new definition it can be trained."""
    detector = ada.post("/detectors", 201, {"name": "slow", **SLOW})
    path = f"/detectors/{detector['id']}"
    begun = ada.post(f"{path}/train", 202, {"dataset_id": large["id"]})
    assert (begun["id"], begun["status"]) == (detector["id"], "training")
    ada.post(f"/jobs/{begun['job_id']}/cancel", 200)
    found = ada.ended(path, ("training",))
    assert (found["status"], found["error_code"], found["model"]) == ("failed", "cancelled", None)
    ada.send("PUT", path, 200, json={"name": "quick"})
    assert ada.post(f"{path}/train", 200, {"dataset_id": large["id"]}, wait=30)["status"] == "trained"


def test_waiting_ends_in_time(ada: Any, large: Any) -> None:
    """A job that takes longer than the client waits answers 202 then, and says so."""
    start = time.monotonic()
    body = {"dataset_id": large["id"], **SLOW}
    answer = ada.http.post("/api/v1/detection/detect", json=body, headers={"Prefer": "wait=1"})
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "wait=1"
    assert 0.9 < time.monotonic() - start < 3
    ada.post(f"/jobs/{answer.json()['job_id']}/cancel", 200)
    ada.ended(f"/jobs/{answer.json()['job_id']}")


def test_a_killed_process_is_replaced(ada: Any, large: Any, installation: Any) -> None:
    """When a job's process is killed, another one does the work, and the result is whole."""
    body = {"dataset_id": large["id"], "algorithm": "isolation_forest", "parameters": {"n_trees": 3000}}
    body["columns"] = ["a", "b"]
    begun = ada.post("/detection/detect", 202, body)
    until_running(ada, begun["job_id"])
    deadline = time.monotonic() + 10
    while not (found := children(installation)) and time.monotonic() < deadline:
        time.sleep(0.01)
    for child in found:
        os.kill(child.pid, signal.SIGKILL)
    job = ada.ended(f"/jobs/{begun['job_id']}")
    assert (job["status"], job["attempts"]) == ("completed", 2)
    assert ada.get(f"/detection/results/{begun['id']}")["n_rows"] == 60_000


def test_reads_stay_quick_while_a_job_runs(ada: Any, large: Any, tmp_path: Path) -> None:
    """Looking at things does not wait for the work."""
    begun = ada.post("/detection/detect", 202, {"dataset_id": large["id"], **SLOW})
    until_running(ada, begun["job_id"])
    times = []
    for _ in range(30):
        start = time.perf_counter()
        ada.get("/datasets")
        times.append(time.perf_counter() - start)
    ada.post(f"/jobs/{begun['job_id']}/cancel", 200)
    assert sorted(times)[15] < 0.25
    ada.ended(f"/jobs/{begun['job_id']}")


def test_only_one_training_at_a_time(ada: Any, large: Any) -> None:
    """Of many requests at once one starts a training; the others are told to wait."""
    detector = ada.post("/detectors", 201, {"name": "busy", **SLOW})
    path = f"/api/v1/detectors/{detector['id']}/train"
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ada.http.post, path, json={"dataset_id": large["id"]}) for _ in range(8)]
        answers = [one.result() for one in asked]
    assert sorted(answer.status_code for answer in answers) == [202, *[409] * 7]
    job_id = next(answer.json()["job_id"] for answer in answers if answer.status_code == 202)
    ada.post(f"/jobs/{job_id}/cancel", 200)
    assert ada.ended(f"/jobs/{job_id}")["status"] == "cancelled"
