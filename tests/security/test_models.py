"""No file runs code, whatever it is called; and of any broken model file the worst that comes is an error."""

import gzip
import io
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

import pynomaly
from pynomaly.errors import PynomalyError

BUNDLES = int(os.environ.get("FUZZ_BUNDLES", "300"))
SUFFIXES = (
    "csv", "tsv", "txt", "parquet", "json", "ndjson", "jsonl", "xlsx", "xls", "gz", "csv.gz", "zst", "zip",
    "pkl", "pickle", "joblib", "npy", "npz", "pt", "pth", "h5", "keras", "safetensors", "skops", "onnx",
    "dill", "cloudpickle", "model", "bin", "pynomaly", "arrow", "feather", "dat", "",
)  # fmt: skip


class Bomb:
    """Unpickled, it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        """Leave the mark there."""
        self._mark = mark

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self._mark),))


def payloads(mark: Path) -> dict[str, bytes]:
    """The same bomb as every kind of file that some library would run."""
    found = {f"protocol {number}": pickle.dumps(Bomb(mark), number) for number in (0, 2, 4, 5)}
    plain = found["protocol 4"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("archive/data.pkl", "data.pkl", "content.pkl", "arr_0.npy", "schema.json"):
            file.writestr(name, plain)
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    numpy = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + plain
    return found | {"archive": archive.getvalue(), "numpy": numpy, "gzip": gzip.compress(plain)}


def test_the_bomb_is_live(tmp_path: Path) -> None:
    """So that silence below means something."""
    pickle.loads(payloads(tmp_path / "mark")["protocol 4"])
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_file_runs(tmp_path: Path, suffix: str) -> None:
    mark = tmp_path / "mark"
    for content in payloads(mark).values():
        path = tmp_path / f"file.{suffix}"
        path.write_bytes(content)
        with pytest.raises(PynomalyError):
            pynomaly.load(path)
        with suppress(PynomalyError):  # text of a pickle may pass for a table of text
            pynomaly.detect(path)
        assert not mark.exists(), (suffix, content[:20])


def test_no_import_over_http_runs(world: Any, send: Callable[..., Any], tmp_path: Path) -> None:
    headers, _ = world.bearer(world.user())
    mark = tmp_path / "mark"
    for name, content in zip(cycle(("m.pynomaly", "m.pkl", "m")), payloads(mark).values(), strict=False):
        files = {"file": (name, content)}
        answer = send("POST", "/api/v1/detectors/import", headers=headers, files=files)
        assert answer.status_code == 422, answer.text
        assert answer.json()["code"] in ("bad_bundle", "untrusted_model")
    assert not mark.exists()


MUTATE = """
import hashlib, random, sys
import numpy as np
import pynomaly
from pynomaly.detection import bundle
from pynomaly.errors import PynomalyError
from pathlib import Path

source, folder, number, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
good, random_, counts = source.read_bytes(), random.Random(seed), {}
table = {"a": np.linspace(0, 1, 12), "b": np.linspace(3, 4, 12)}
HEAD = len(bundle.MAGIC) + 32

def mutated():
    data = bytearray(good)
    for _ in range(random_.choice((1, 1, 2, 8, 64))):
        at = random_.randrange(len(data))
        how = random_.randrange(5)
        if how == 0: data[at] ^= 1 << random_.randrange(8)
        elif how == 1: data[at] = random_.choice((0, 255, 127, 128))
        elif how == 2: del data[at : at + random_.randrange(1, 40)]
        elif how == 3: data[at:at] = random_.randbytes(random_.randrange(1, 40))
        else: data[at : at + 8] = random_.choice((b"\\xff" * 8, bytes(8), bytes(6) + b"\\xf0\\x7f"))
        if not data: break
    if random_.random() < 0.7 and len(data) > HEAD:  # sealed again, so that what is inside is looked at
        data[len(bundle.MAGIC) : HEAD] = hashlib.sha256(bytes(data[HEAD:])).digest()
    return bytes(data)

path = folder / "mutated.pynomaly"
for _ in range(number):
    path.write_bytes(mutated())
    try:
        found = pynomaly.load(path).score(table)
        kind = "scores"
    except PynomalyError as error:
        kind = error.code
    counts[kind] = counts.get(kind, 0) + 1
print(counts)
"""


@pytest.mark.parametrize("algorithm", ["isolation_forest", "knn", "robust_z"])
def test_broken_model_files_give_errors_of_ours_and_no_signal(
    tmp_path: Path, algorithm: str, record_property: Callable[[str, object], None]
) -> None:
    rows = {"a": [float(one % 7) for one in range(60)], "b": [float(one % 5) for one in range(60)]}
    detector = pynomaly.Detector(algorithm=algorithm)
    detector.fit(rows)
    detector.save(tmp_path / "good.pynomaly")
    number = str(max(1, BUNDLES // 3))
    command = [sys.executable, "-c", MUTATE, str(tmp_path / "good.pynomaly"), str(tmp_path), number, "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, (done.returncode, done.stderr[-3000:])
    assert "bad_bundle" in done.stdout
    record_property("told", f"{number} mutated models of {algorithm}: {done.stdout.strip()}")
