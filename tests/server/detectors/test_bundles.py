"""Model files from one installation to another: the same scores to the last bit, and nothing unsound."""

import hashlib
import json
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import numpy as np
import pytest
from sqlalchemy import select

from pynomaly import library
from pynomaly.detection import bundle
from pynomaly.errors import BadBundle
from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.db import Database
from pynomaly.server.detectors import bundle_work
from pynomaly.server.detectors.models import Model
from pynomaly.server.detectors.tasks import model_key
from pynomaly.server.migrate import upgrade
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.service import create_user
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

pytestmark = pytest.mark.any_database

API = "/api/v1"
WAIT = {"Prefer": "wait=30"}
CSV = "a,b,shop,when\n" + "".join(
    f"{i % 13}.5,{(i * 7) % 11 if i != 5 else 999}.25,{'xyz'[i % 3]},2024-03-{1 + i % 28:02d}\n"
    for i in range(150)
)
ALGORITHMS = ("auto", "isolation_forest", "local_outlier_factor", "one_class_svm", "hbos", "gmm", "ensemble")


class Elsewhere:
    """Another installation, with a secret of its own, and somebody who is logged in to it."""

    def __init__(self, home: Path) -> None:
        """Set it up."""
        self.settings = Settings(home=home)
        upgrade(self.settings)
        self.database = Database(self.settings)
        with self.database.session() as session:
            create_user(session, "bob@example.org", "correct horse battery")
        self._app = create_app(self.settings, self.database)
        self._headers: dict[str, str] = {}
        body = {"email": "bob@example.org", "password": "correct horse battery"}
        token = self.post(f"{API}/auth/login", json=body).json()["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        """POST to it."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                return await client.post(path, headers=self._headers, **arguments)

        return anyio.run(send)

    def stored(self, model_id: str) -> bytes:
        """A model's file, as it is stored there."""
        with self.database.session() as session:
            key = session.get_one(Model, model_id).blob_key
        return LocalStorage(self.settings.home).path(key).read_bytes()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    """Another installation."""
    there = Elsewhere(tmp_path / "elsewhere")
    yield there
    there.database.close()


def uploaded(api: httpx.Client) -> str:
    """A dataset that is read; its id."""
    files = {"file": ("t.csv", CSV.encode())}
    return str(api.post(f"{API}/datasets/upload", files=files, headers=WAIT).json()["id"])


def trained(
    api: httpx.Client, algorithm: str = "isolation_forest", table: str | None = None, **definition: Any
) -> str:
    """A detector that is trained; its address."""
    table = table or uploaded(api)
    made = api.post(f"{API}/detectors", json={"name": "d/1", "algorithm": algorithm, **definition}).json()
    path = f"{API}/detectors/{made['id']}"
    answer = api.post(f"{path}/train", json={"dataset_id": table}, headers=WAIT)
    assert answer.status_code == 200, answer.text
    return path


def send(
    client: "httpx.Client | Elsewhere", data: bytes, filename: str = "m.pynomaly", **form: str
) -> httpx.Response:
    """Import a file."""
    return client.post(f"{API}/detectors/import", files={"file": (filename, data)}, data=form)


@pytest.mark.usefixtures("worker")
def test_scores_are_the_same_elsewhere(
    api: httpx.Client, elsewhere: Elsewhere, settings: Settings, tmp_path: Path
) -> None:
    theirs = elsewhere.settings
    assert model_key(theirs) != model_key(settings)
    (tmp_path / "t.csv").write_text(CSV)
    table, file = uploaded(api), library.opened(tmp_path / "t.csv")
    for algorithm in ALGORITHMS:
        parameters = {"members": ["hbos", "knn"]} if algorithm == "ensemble" else {}
        path = trained(api, algorithm, table, max_alerts=5, parameters=parameters)
        exported = api.get(f"{path}/bundle")
        assert exported.headers["content-disposition"].endswith("''d%2F1%201.pynomaly")
        assert int(exported.headers["content-length"]) == len(exported.content)
        answer = send(elsewhere, exported.content, "nice model.pynomaly")
        assert answer.status_code == 201, (algorithm, answer.text)
        detector = answer.json()
        assert answer.headers["location"] == f"{API}/detectors/{detector['id']}"
        assert (detector["name"], detector["algorithm"], detector["status"]) == (
            "nice model", algorithm, "trained",
        )  # fmt: skip
        assert (detector["max_alerts"], detector["columns"]) == (5, ["a", "b", "shop", "when"])
        data = elsewhere.stored(detector["model_id"])
        there = library.Detector.from_bytes(data, model_key(theirs), require_signature=True)
        here = library.Detector.from_bytes(exported.content, model_key(settings), require_signature=True)
        assert there.score(file).tobytes() == here.score(file).tobytes()
        assert there.threshold == here.threshold == detector["model"]["threshold"]
        with pytest.raises(BadBundle, match="signed with another key"):
            library.Detector.from_bytes(exported.content, model_key(theirs), require_signature=True)


@pytest.mark.usefixtures("worker")
def test_an_imported_detector_works_like_any_other(api: httpx.Client, database: Database) -> None:
    path = trained(api, quantile=0.9)
    data = api.get(f"{path}/bundle", params={"version": 1}).content
    moved = library.Detector.from_bytes(data).set_threshold(0.6).to_bytes()
    answer = send(api, moved, "../../etc/x.pynomaly", name=" N ")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["name"], made["threshold"], made["contamination"]) == ("N", 0.6, None)
    table = api.get(f"{API}/datasets").json()["items"][0]["id"]
    body = {"dataset_id": table, "detector_id": made["id"]}
    result = api.post(f"{API}/detection/detect", json=body, headers=WAIT)
    assert (result.status_code, result.json()["threshold"]) == (201, 0.6), result.text
    again = api.post(f"{API}/detectors/{made['id']}/train", json={"dataset_id": table}, headers=WAIT)
    assert again.json()["model"]["version"] == 2
    for _ in range(2):
        key = {"Idempotency-Key": "k"}
        once = api.post(f"{API}/detectors/import", files={"file": ("m", data)}, headers=key)
        assert once.status_code == 201
    assert len(api.get(f"{API}/detectors").json()["items"]) == 3
    with database.session() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.action == "detector.import")).all()
        assert found[0].details == {"filename": "x.pynomaly"}


def sealed(manifest: dict[str, Any], tensors: bytes) -> bytes:
    """Write a file whose checksum is right, whatever it holds."""
    text = json.dumps(manifest).encode()
    signed = bytes(32) + len(text).to_bytes(8, "little") + text + tensors
    return bundle.MAGIC + hashlib.sha256(signed).digest() + signed


def opened(data: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """A file's manifest and arrays."""
    manifest, arrays = bundle.load(data)
    return manifest, {name: array.copy() for name, array in arrays.items()}


def spoilt(manifest: Any, source: random.Random) -> Any:
    """Change one value somewhere in the manifest."""
    values = (None, -1, 0, 2**40, 1e308, "x", "../x", [], {}, True, [1, 2], {"a": 1})
    at = manifest
    while True:
        key = source.choice(list(at) if isinstance(at, dict) else range(len(at)))
        if not isinstance(at[key], dict | list) or not at[key] or source.random() < 0.3:
            at[key] = source.choice(values)
            return manifest
        at = at[key]


def changed(array: Any, source: random.Random) -> Any:
    """Change one value, the type or the shape of an array."""
    how = source.choice(["value", "cut", "type", "shape"])
    if how == "value" and array.size:
        flat = array.reshape(-1)
        odd = [-1, 2**31 - 1, -(2**31)] if array.dtype.kind in "iu" else [np.nan, np.inf, -1e308]
        with np.errstate(all="ignore"):
            flat[source.randrange(array.size)] = np.array(source.choice(odd)).astype(array.dtype)
        return array
    if how == "cut":
        return array[: len(array) // 2] if array.ndim else array
    if how == "type":
        with np.errstate(all="ignore"):
            return array.astype(np.float32 if array.dtype != np.float32 else np.int64)
    return array.reshape(1, *array.shape)


def attempt(data: bytes, folder: Path) -> str:
    """Check a file as the import does, without a process of its own; says what came of it."""
    source, target = folder / "in", folder / "out"
    source.write_bytes(data)
    try:
        payload = {"source": str(source), "target": str(target), "key": b"k".hex() * 32}
        bundle_work.run(payload, lambda *_: None)
    except BadBundle:
        return "refused"
    return "taken"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("algorithm", ["isolation_forest", "knn", "hbos", "gmm", "local_outlier_factor"])
def test_mutated_files_give_typed_errors(algorithm: str, tmp_path: Path) -> None:
    """Files with a right checksum, whatever they hold, are refused or work; nothing else comes of them."""
    (tmp_path / "t.csv").write_text(CSV)
    data = library.Detector(algorithm).fit(tmp_path / "t.csv").to_bytes()
    source, outcomes = random.Random(algorithm), []
    for turn in range(60):
        manifest, arrays = opened(data)
        if turn % 2:
            manifest = spoilt(manifest, source)
            length = int.from_bytes(data[72:80], "little")
            mutated = sealed(manifest, data[80 + length :])
        else:
            name = source.choice(sorted(arrays))
            arrays[name] = changed(arrays[name], source)
            mutated = bundle.dump({k: v for k, v in manifest.items() if k != "arrays"}, arrays)
        outcomes.append(attempt(mutated, tmp_path))
    assert outcomes.count("refused") > 30
    assert attempt(data, tmp_path) == "taken"


@pytest.mark.parametrize("fault", ["nan", "index"])
def test_a_model_that_loads_but_does_not_work_is_refused(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried out on the rows that it holds, before it is signed."""
    (tmp_path / "t.csv").write_text(CSV)
    broken = library.Detector("hbos").fit(tmp_path / "t.csv")

    def score(X: Any) -> Any:
        return np.full(len(X), np.nan) if fault == "nan" else [][len(X)]

    monkeypatch.setattr(broken.model.algorithm, "score", score)
    monkeypatch.setattr(bundle_work.Detector, "from_bytes", lambda *_, **__: broken)
    assert attempt(b"", tmp_path) == "refused"
    assert not (tmp_path / "out").exists()


@pytest.fixture
def no_worker_needed(tmp_path: Path) -> bytes:
    """A small model file."""
    (tmp_path / "t.csv").write_text(CSV)
    return library.Detector("hbos").fit(tmp_path / "t.csv").to_bytes()


def test_what_is_no_model_is_refused_with_a_reason(
    api: httpx.Client, no_worker_needed: bytes, settings: Settings
) -> None:
    """In the real process; nothing stays behind."""
    data = no_worker_needed
    manifest, _ = opened(data)
    pickled = b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94."
    header = struct.pack("<Q", 2) + b"{}"
    at = data.index(b'"threshold": ') + len(b'"threshold": 0.')
    for odd in (
        data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :],
        b"",
        pickled,
        b"PK\x03\x04" + bytes(100),
        data[:-1],
        data[:60],
        data[:100] + bytes([data[100] ^ 1]) + data[101:],
        sealed(manifest | {"algorithm": "nope"}, header),
        sealed(manifest | {"arrays": {}}, header),
        sealed({"format": 99}, header),
    ):
        answer = send(api, odd)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_bundle"), answer.text
    assert send(api, data, name="a\x00b").status_code == 422
    assert api.get(f"{API}/detectors").json()["items"] == []
    left = [
        path for path in settings.home.rglob("*") if path.is_file() and path.parent.name in ("tmp", "models")
    ]
    assert left == []


def test_a_file_that_is_too_large(settings: Settings, log_in: Callable[..., httpx.Client], app: Any) -> None:
    app.state.settings = settings.model_copy(update={"max_model_mib": 1})
    answer = send(log_in(), bytes(3 * 2**20))
    assert answer.status_code == 413


def test_viewers_import_nothing(log_in: Callable[..., httpx.Client]) -> None:
    assert send(log_in("vera@example.org", "viewer"), b"x").status_code == 403
