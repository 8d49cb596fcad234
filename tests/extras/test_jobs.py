"""Algorithms of extras in the limited child process of a job: trained, signed, read again, scored."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pynomaly.detection.catalogue import CATALOGUE
from pynomaly.settings import Settings
from pynomaly.tables import ingest

NAMES = [
    name
    for name in ("autoencoder", "keras_autoencoder", "pyod.IForest", "pyod.ECOD", "pyod.DeepSVDD")
    if CATALOGUE[name].available
]
if not NAMES:
    pytest.skip("no extra is installed", allow_module_level=True)

CHILD = """
import json, sys
from pathlib import Path
from pynomaly.server.jobs.child import attempt
print(json.dumps(attempt(json.load(sys.stdin), lambda *_: None)))
"""


def run(work: str, payload: dict, scratch: Path) -> dict:
    memory = Settings.model_fields["job_memory_mib"].default
    request = {"run": work, "payload": payload, "memory_mib": memory, "scratch": str(scratch)}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=json.dumps(request), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer: dict = json.loads(done.stdout.splitlines()[-1])
    assert "result" in answer, answer
    return answer["result"]


@pytest.mark.parametrize("name", NAMES)
def test_trained_and_used(name, tmp_path):
    X = np.random.default_rng(0).normal(size=(150, 3))
    X[7] += 9
    np.savetxt(tmp_path / "t.csv", X, delimiter=",", header="a,b,c", comments="")
    ingest(tmp_path / "t.csv", tmp_path / "t.parquet", filename="t.csv")
    parameters = {"epochs": 5} if "epochs" in {p.name for p in CATALOGUE[name].parameters} else {}
    payload = {
        "table": str(tmp_path / "t.parquet"),
        "memory_mib": 512,
        "recipe": {"algorithm": name, "parameters": parameters, "seed": 1},
        "label_column": None,
        "key": (b"k" * 32).hex(),
        "model": str(tmp_path / "model"),
    }
    trained = run("pynomaly.server.detectors.work:run", payload, tmp_path / "scratch")
    assert trained["described"]["algorithm"] == name
    use = {"trained": payload["model"], "ways": {}, "max_explained": 10}
    use["result"] = str(tmp_path / "r.parquet")
    found = run("pynomaly.server.detections.work:run", payload | use, tmp_path / "scratch")
    assert found["fields"]["n_rows"] == 150
    ranked = pd.read_parquet(tmp_path / "r.parquet")
    assert int(ranked.iloc[0]["row"]) == 7
