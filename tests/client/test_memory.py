"""Files of any size pass through the client in constant memory, both ways."""

import socket
import subprocess
import sys
import threading

import pytest

SIZE = 96 * 1024 * 1024
CODE = """
import asyncio, resource, sys
from pathlib import Path
from pynomaly.client import AsyncClient, Client, NotFound, Retry
url, way, file = sys.argv[1], sys.argv[2], Path(sys.argv[3])

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def blocking():
    with Client(url, retry=Retry(tries=1)) as client:
        client.jobs.get("warm")
        before = peak()
        client.datasets.upload(file, wait=False) if way == "up" else client.detections.export("r", file)
        return before

async def awaited():
    async with AsyncClient(url, retry=Retry(tries=1)) as client:
        await client.jobs.get("warm")
        before = peak()
        if way == "up":
            await client.datasets.upload(file, wait=False)
        else:
            await client.detections.export("r", file)
        return before

before = asyncio.run(awaited()) if sys.argv[4] == "awaited" else blocking()
print(peak() - before)
"""
JOB = (
    b'{"id":"j","kind":"k","subject_id":null,"status":"completed","progress":1,"progress_text":"",'
    b'"error_code":null,"error_detail":null,"created_at":"2026-01-01T00:00:00Z","started_at":null,'
    b'"finished_at":null}'
)
DATASET = (
    b'{"id":"d","owner_id":"o","access":"own","name":"n","description":"","filename":"f","status":"ready",'
    b'"progress":1,"n_rows":1,"n_columns":1,"n_rejected":0,"n_duplicates":0,"size_bytes":1,'
    b'"label_column":null,"error_code":null,"error_detail":null,"job_id":null,'
    b'"created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z"}'
)


@pytest.fixture
def server():
    """A server that swallows uploads and gives large exports; its address, and the bytes that it read."""
    listener, read = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                while line := lines.readline():
                    answer(connection, line, lines, read)

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", read
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def answer(connection, line, lines, read):
    """Answer one request."""
    length = 0
    while (header := lines.readline()) != b"\r\n":
        name, _, value = header.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    left = length
    while left:
        left -= len(lines.read(min(left, 1 << 20)))
    read.append(length)
    if b"/export" in line:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE)
        for _ in range(SIZE >> 20):
            connection.sendall(bytes(1 << 20))
        return
    body = JOB if b"/jobs/" in line else DATASET
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


@pytest.mark.parametrize("client", ["blocking", "awaited"])
@pytest.mark.parametrize("way", ["up", "down"])
def test_memory_does_not_grow_with_the_file(server, tmp_path, way, client):
    url, read = server
    file = tmp_path / "large.bin"
    if way == "up":
        with file.open("wb") as out:
            out.truncate(SIZE)
    command = [sys.executable, "-c", CODE, url, way, str(file), client]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 16  # MiB
    assert file.stat().st_size == SIZE
    assert way == "down" or max(read) > SIZE
