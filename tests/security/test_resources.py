"""Bombs answer 4xx or fail as jobs, the API process stays small, and others are served meanwhile."""

import gzip
import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from server_process import Target, serving

MIB = 1024 * 1024
GROWTH = 256 * MIB
P99 = 0.2
"""Seconds that a health check may take meanwhile; `make test` runs this file alone."""
BIG = 400 * MIB
"""Of what a bomb becomes; the server's limit is 64 MiB."""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server with one worker, and small limits for tables."""
    home = tmp_path_factory.mktemp("bombs")
    limits = {"max_table_mib": "64", "job_memory_mib": "512", "job_timeout_seconds": "60"}
    with serving(home, worker_slots="1", max_upload_mib="256", **limits) as target:
        yield target


WATCH = """
import json, sys, time, urllib.request
import psutil
process, seconds = psutil.Process(int(sys.argv[2])), []
peak = before = process.memory_info().rss
print("ready", flush=True)
while not sys.stdin.isatty() and not __import__("select").select([sys.stdin], [], [], 0.02)[0]:
    began = time.perf_counter()
    urllib.request.urlopen(sys.argv[1], timeout=30).read()
    seconds.append(time.perf_counter() - began)
    peak = max(peak, process.memory_info().rss)
print(json.dumps({"seconds": seconds, "growth": peak - before}))
"""
"""A process of its own: this one is busy making bombs."""


@pytest.fixture(scope="module", autouse=True)
def _watched(target: Target) -> Iterator[None]:
    """Whatever these tests send, the API stays small and others are served."""
    command = [sys.executable, "-c", WATCH, f"{target.url}/health/live", str(target.process)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        assert watch.stdout.readline() == "ready\n"
        yield
        seen = json.loads(watch.communicate("stop\n", timeout=60)[0])
    assert seen["growth"] < GROWTH, seen["growth"] // MIB
    seconds = sorted(seen["seconds"])
    assert seconds[int(len(seconds) * 0.99)] < P99, (seconds[len(seconds) // 2], seconds[-20:], len(seconds))


@pytest.fixture
def client(target: Target) -> Iterator[httpx.Client]:
    """A user's client."""
    with httpx.Client(base_url=f"{target.url}/api/v1", headers=target.headers["user"], timeout=120) as client:
        yield client


def gzip_bomb() -> bytes:
    """A CSV that is a thousand times as large as its file."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
        file.write(b"amount\n")
        for _ in range(BIG // MIB):
            file.write(b"1\n" * (MIB // 2))
    return packed.getvalue()


def zip_bomb(name: str) -> Callable[[], bytes]:
    """An archive with one huge part."""

    def make() -> bytes:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
            with archive.open(name, "w", force_zip64=True) as part:
                for _ in range(BIG // MIB):
                    part.write(b"<row>" + b" " * (MIB - 5))
        return packed.getvalue()

    return make


def parquet_bomb() -> bytes:
    """A hundred million equal rows."""
    packed = io.BytesIO()
    group = pa.table({"amount": pa.array([7] * 1_000_000, pa.int64())})
    with pq.ParquetWriter(packed, group.schema, compression="zstd") as writer:
        for _ in range(100):
            writer.write_table(group, row_group_size=1_000_000)
    return packed.getvalue()


def wide() -> bytes:
    """A header of a hundred thousand columns."""
    return ",".join(f"c{number}" for number in range(100_000)).encode() + b"\n1\n"


BOMBS: dict[str, Callable[[], bytes]] = {
    "a.csv.gz": gzip_bomb,
    "a.xlsx": zip_bomb("xl/worksheets/sheet1.xml"),
    "a.zip": zip_bomb("a.csv"),
    "a.parquet": parquet_bomb,
    "wide.csv": wide,
    "nested.json": lambda: b"[" * 100_000,
    "one.csv": lambda: b'amount\n"' + b"x" * (80 * MIB),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_fails_alone(target: Target, client: httpx.Client, name: str) -> None:
    content = BOMBS[name]()
    answer = client.post("/datasets/upload", files={"file": (name, content)})
    assert answer.status_code in (202, 413, 422), answer.text
    if answer.status_code == 202:
        found = settled(client, answer.json()["id"])
        assert found["status"] == "failed", found
        assert found["error_code"] not in (None, "internal_error"), found


def settled(client: httpx.Client, id_: str) -> Any:
    """Wait for a dataset to be read, or not."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = client.get(f"/datasets/{id_}").json()
        if found["status"] != "processing":
            return found
        time.sleep(0.1)
    raise AssertionError(f"{id_} is still being read")


def parts(number: int, size: int, name: str) -> Iterator[bytes]:
    """A multipart body with so many parts of a size."""
    head = b'--x\r\nContent-Disposition: form-data; name="' + name.encode() + b'"\r\n\r\n'
    for start in range(0, number, 1000):
        yield (head + b"v" * min(size, 1000) + b"\r\n") * min(1000, number - start) if size <= 1000 else head
    for _ in range(size // MIB):
        yield b"v" * MIB
    yield b"\r\n--x--\r\n"


@pytest.mark.parametrize(
    ("number", "size", "name"), [(1_000_000, 1, "f"), (1_000_000, 1, "name"), (1, 100 * MIB, "name")]
)
def test_too_many_or_too_large_form_fields_are_refused(
    target: Target, client: httpx.Client, number: int, size: int, name: str
) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for path in ("/datasets/upload", "/detectors/import"):
        try:
            answer = client.post(path, content=parts(number, size, name), headers=headers)
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            continue  # it hung up in the middle
        assert 400 <= answer.status_code < 500, (path, answer.status_code)


def test_a_million_fields_of_a_page_are_refused(target: Target) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(base_url=target.url, timeout=60) as client:
        for body in (b"&".join(b"a%d=1" % one for one in range(1_000_000)), b"a&" * 500_000):
            answer = client.post("/login", content=body, headers=headers)
            assert 400 <= answer.status_code < 500, answer.status_code


JSONS = {
    "nested lists": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested objects": b'{"name": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    "NaN": b'{"name": "x", "contamination": NaN}',
    "infinity": b'{"name": "x", "contamination": -Infinity}',
    "1e400": b'{"name": "x", "contamination": 1e400}',
    "a long number": b'{"name": "x", "seed": ' + b"9" * 500_000 + b"}",
    "half a character": b'{"name": "\\ud800"}',
    "half a character as bytes": b'{"name": "\xed\xa0\x80"}',
    "NUL": b'{"name": "a\\u0000b"}',
    "many keys": b"{" + b",".join(b'"k%d":1' % one for one in range(80_000)) + b"}",
    "many items": b'{"dataset_ids": [' + b"1," * 400_000 + b'1], "scopes": [' + b"1," * 50_000 + b"1]}",
    "more than a mebibyte": b'{"name": "' + b"x" * (2 * MIB) + b'"}',
    "gzip": gzip.compress(b'{"name": "x"}'),
}


@pytest.mark.parametrize("what", JSONS)
def test_bad_json_is_refused_everywhere(target: Target, client: httpx.Client, what: str) -> None:
    described = client.get("/openapi.json").json()["paths"]
    headers = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if what == "gzip" else {})
    tried = 0
    for path, item in described.items():
        for method, operation in item.items():
            if "application/json" not in operation.get("requestBody", {}).get("content", {}):
                continue
            address = path.replace("{id}", "x").replace("{alias}", "x").replace("{version}", "1")
            answer = client.request(
                method, target.url + address.replace("{name}", "x"), content=JSONS[what], headers=headers
            )
            assert 400 <= answer.status_code < 500, (path, answer.status_code)
            kind = "application/json" if path.startswith("/v2/") else "application/problem+json"
            assert answer.headers["content-type"] == kind, path
            tried += 1
    assert tried > 10


def test_thousands_of_ranges_are_not_served_one_by_one(target: Target, client: httpx.Client) -> None:
    files = {"file": ("p.csv", b"amount\n" + b"12345\n" * 20_000)}
    id_ = client.post("/datasets/upload", files=files).json()["id"]
    settled(client, id_)
    paths = [f"{target.url}/static/app.css", f"{target.url}/api/v1/datasets/{id_}/download?format=original"]
    for path in paths:
        for ranges in (",".join(f"{one * 3}-{one * 3}" for one in range(10_000)), "0-," * 10_000 + "0-"):
            for cut in (ranges, ranges[:50_000]):
                try:
                    answer = client.get(path, headers={"Range": f"bytes={cut.rstrip(',-')}"})
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    continue
                assert answer.status_code < 500, answer.status_code
                assert len(answer.content) < 4 * MIB, (path, len(answer.content))
