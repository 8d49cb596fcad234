"""Uploads that come in parts: offsets, cut connections, two writers, limits, and one dataset at the end."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from pynomaly.server.datasets import uploads
from pynomaly.server.datasets.models import Dataset, Upload
from pynomaly.server.db import Database, utc_now
from pynomaly.server.tasks import keys_in_use
from pynomaly.settings import Settings

API = "/api/v1/datasets"
PART = {"Content-Type": "application/offset+octet-stream"}
CSV = b"a,b\n" + b"".join(b"%d,%d\n" % (row, row * 7 % 31) for row in range(4000))
LogIn = Callable[..., httpx.Client]


def begin(api: httpx.Client, size: int = len(CSV), **more: Any) -> dict[str, Any]:
    """Begin an upload."""
    answer = api.post(f"{API}/uploads", json={"filename": "t.csv", "size": size, **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{API}/uploads/{answer.json()['id']}"
    return answer.json()


def send(api: httpx.Client, id_: str, offset: int, content: bytes) -> httpx.Response:
    """Send a part."""
    return api.patch(f"{API}/uploads/{id_}", content=content, headers={**PART, "Upload-Offset": str(offset)})


def offset(api: httpx.Client, id_: str) -> int:
    """Ask how far it is."""
    answer = api.head(f"{API}/uploads/{id_}")
    assert (answer.status_code, answer.headers["tus-resumable"]) == (200, "1.0.0")
    assert answer.headers["upload-length"] == str(len(CSV))
    return int(answer.headers["upload-offset"])


def until(happened: Callable[[], bool]) -> None:
    """Wait for something."""
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_parts_become_one_dataset(api: httpx.Client, worker: Any, settings: Settings) -> None:
    id_ = begin(api, name="Parts", fingerprint="t.csv/1")["id"]
    [listed] = api.get(f"{API}/uploads").json()["items"]
    assert (listed["id"], listed["offset"], listed["fingerprint"]) == (id_, 0, "t.csv/1")
    first = send(api, id_, 0, CSV[:1000])
    assert (first.status_code, first.headers["upload-offset"]) == (204, "1000")
    assert "location" not in first.headers
    assert send(api, id_, 0, CSV[:1000]).status_code == 409
    assert send(api, id_, 2000, CSV[2000:]).status_code == 409
    assert send(api, id_, 1000, CSV[1000:] + b"x").status_code == 413
    assert offset(api, id_) == 1000
    last = send(api, id_, 1000, CSV[1000:])
    assert last.status_code == 204
    assert send(api, id_, len(CSV), b"").headers["location"] == last.headers["location"]
    assert api.get(f"{API}/uploads").json()["items"] == []
    dataset = api.get(last.headers["location"]).json()
    assert api.get(f"{API}/uploads/{id_}").json()["dataset_id"] == dataset["id"]
    assert (dataset["name"], dataset["size_bytes"]) == ("Parts", len(CSV))
    kept = api.get(f"{API}/{dataset['id']}/download")
    assert kept.content == CSV
    assert api.delete(f"{API}/uploads/{id_}").status_code == 204  # the dataset stays
    assert api.get(f"{API}/{dataset['id']}").status_code == 200


def test_a_cut_connection_keeps_what_came(api: httpx.Client, url: str) -> None:
    id_ = begin(api)["id"]
    host, port = url.removeprefix("http://").split(":")
    half = len(CSV) // 2
    with socket.create_connection((host, int(port))) as wire:
        head = (
            f"PATCH {API}/uploads/{id_} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Authorization: {api.headers['authorization']}\r\nContent-Type: {PART['Content-Type']}\r\n"
            f"Upload-Offset: 0\r\nContent-Length: {len(CSV)}\r\nExpect: 100-continue\r\n\r\n"
        )
        wire.sendall(head.encode())
        assert b"100 Continue" in wire.recv(1000)  # it holds the file now
        wire.sendall(CSV[:half])
        assert send(api, id_, 0, CSV).status_code == 409
    until(lambda: offset(api, id_) == half)
    assert send(api, id_, half, CSV[half:]).status_code == 204


@pytest.mark.usefixtures("worker")
def test_of_two_writers_one_wins(api: httpx.Client, database: Database) -> None:
    id_ = begin(api)["id"]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: send(api, id_, 0, CSV).status_code, range(6)))
    assert sorted(set(answers)) == [204, 409]
    assert answers.count(204) == 1
    with ThreadPoolExecutor(4) as pool:  # the answer was lost: asked again, it is the same dataset
        again = list(pool.map(lambda _: send(api, id_, len(CSV), b""), range(4)))
    assert {one.headers["location"] for one in again if one.status_code == 204}
    with database.session() as session:
        assert len(session.scalars(select(Dataset.id)).all()) == 1


def test_what_is_refused(api: httpx.Client, log_in: LogIn, settings: Settings, database: Database) -> None:
    huge = api.post(f"{API}/uploads", json={"filename": "t.csv", "size": 5 * 1024**3})
    assert huge.status_code == 413
    assert "2,048 MiB" in huge.json()["detail"]
    assert api.post(f"{API}/uploads", json={"filename": "t.csv", "size": 0}).json()["code"] == "table_empty"
    bad = {"filename": "t.csv", "size": 9, "dialect": {"encoding": "zip"}}
    assert api.post(f"{API}/uploads", json=bad).status_code == 422
    id_ = begin(api)["id"]
    stranger = log_in("eve@example.org")
    for answer in (
        stranger.get(f"{API}/uploads/{id_}"),
        stranger.head(f"{API}/uploads/{id_}"),
        stranger.delete(f"{API}/uploads/{id_}"),
        send(stranger, id_, 0, CSV),
        api.get(f"{API}/uploads/nonsense"),
    ):
        assert answer.status_code == 404
    assert stranger.get(f"{API}/uploads").json()["items"] == []
    plain = api.patch(f"{API}/uploads/{id_}", content=b"a", headers={"Upload-Offset": "0"})
    assert plain.status_code == 415
    for _ in range(settings.max_uploads - 1):
        begin(api)
    many = api.post(f"{API}/uploads", json={"filename": "t.csv", "size": 9})
    assert (many.status_code, "unfinished uploads" in many.json()["detail"]) == (409, True)
    assert api.delete(f"{API}/uploads/{id_}").status_code == 204
    assert send(api, id_, 0, CSV).status_code == 404
    begin(api)
    with database.session() as session:
        assert len(keys_in_use(session)) == settings.max_uploads


def test_old_ones_are_swept(api: httpx.Client, database: Database, settings: Settings) -> None:
    id_ = begin(api)["id"]
    with database.session() as session:
        session.execute(update(Upload).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert send(api, id_, 0, CSV).status_code == 404
    with database.session() as session:
        uploads.sweep(session, settings)
        assert keys_in_use(session) == set()
