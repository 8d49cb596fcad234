"""What the client does when the network or the server fails: against a raw socket that plays a script."""

import asyncio
import json
import socket
import threading
import time
from collections import deque

import pytest

from pynomaly import PynomalyError, errors
from pynomaly.client import (
    AsyncClient,
    Client,
    Conflict,
    ConnectionFailed,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    Retry,
    ServerError,
    TooManyRequests,
    UnexpectedAnswer,
)

JOB = {
    "id": "j",
    "kind": "k",
    "subject_id": None,
    "status": "completed",
    "progress": 1,
    "progress_text": "",
    "error_code": None,
    "error_detail": None,
    "created_at": "2026-01-01T00:00:00Z",
    "started_at": None,
    "finished_at": None,
}
DETECTOR = {
    "id": "d",
    "owner_id": "o",
    "access": "own",
    "name": "n",
    "description": "",
    "algorithm": "hbos",
    "parameters": {},
    "columns": None,
    "contamination": None,
    "max_alerts": None,
    "fdr": None,
    "quantile": None,
    "threshold": None,
    "seed": 0,
    "status": "untrained",
    "model_id": None,
    "error_code": None,
    "error_detail": None,
    "job_id": None,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}
DROP, CUT = object(), object()
"""Actions: close the connection without an answer; or in the middle of one."""


def answer(status=200, body=JOB, **headers):
    """Write an answer as bytes."""
    content = json.dumps(body).encode() if not isinstance(body, bytes) else body
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content


class Scripted:
    """A server that gives one prepared answer per connection, and keeps the requests."""

    def __init__(self):
        self.script, self.requests, self.times = deque(), [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                self.play(connection)

    def play(self, connection):
        self.requests.append(self.read(connection))
        self.times.append(time.monotonic())
        action = self.script.popleft()
        if action is CUT:
            connection.sendall(answer()[:-10])
        elif action is not DROP:
            connection.sendall(action)

    def read(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        return lines[0], headers, body

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def server():
    """A scripted server."""
    server = Scripted()
    yield server
    server.close()


@pytest.fixture(params=["blocking", "awaited"])
def call(request, server):
    """Call an operation by name with either client: `call(server.script…, "jobs.get", "j")`."""
    retry = Retry(tries=4, first=0.001, deadline=20)

    async def awaited(resource, operation, /, *arguments, **named):
        async with AsyncClient(server.url, api_key="pyn_k", retry=retry, timeout=5) as client:
            return await getattr(getattr(client, resource), operation)(*arguments, **named)

    def run(name, /, *arguments, **named):
        resource, operation = name.split(".")
        if request.param == "awaited":
            return asyncio.run(awaited(resource, operation, *arguments, **named))
        with Client(server.url, api_key="pyn_k", retry=retry, timeout=5) as client:
            return getattr(getattr(client, resource), operation)(*arguments, **named)

    return run


@pytest.mark.parametrize("fault", [DROP, CUT, *(answer(status) for status in (429, 502, 503, 504))])
def test_what_passes_is_tried_again(server, call, fault):
    server.script += [fault, fault, answer()]
    assert call("jobs.get", "j").status == "completed"
    assert len(server.requests) == 3
    assert {headers["x-api-key"] for _, headers, _ in server.requests} == {"pyn_k"}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 422, 500, 501])
def test_what_does_not_pass_is_not_tried_again(server, call, status):
    server.script += [answer(status)]
    with pytest.raises(PynomalyError) as raised:
        call("jobs.get", "j")
    assert raised.value.status == status
    assert len(server.requests) == 1


def test_the_server_says_how_long_to_wait(server, call):
    server.script += [answer(429, retry_after=1), answer()]
    call("jobs.get", "j")
    assert 1.0 <= server.times[1] - server.times[0] < 3


def test_it_gives_up_after_its_tries_and_before_its_deadline(server, call):
    server.script += [answer(503)] * 4
    with pytest.raises(ServerError):
        call("jobs.get", "j")
    assert len(server.requests) == 4
    server.script += [answer(429, retry_after=60)]
    with pytest.raises(TooManyRequests) as raised:
        call("jobs.get", "j")
    assert (raised.value.retry_after, len(server.requests)) == (60, 5)
    server.script += [DROP] * 4
    with pytest.raises(ConnectionFailed, match=r"^GET /jobs/j: no answer from http://127\.0\.0\.1:\d+: "):
        call("jobs.get", "j")


def test_creating_again_carries_the_same_key_and_each_call_its_own(server, call):
    server.script += [DROP, answer(409, retry_after=0), answer(201, DETECTOR), answer(201, DETECTOR)]
    assert call("detectors.create", name="n").id == "d"
    call("detectors.create", name="n")
    keys = [headers["idempotency-key"] for _, headers, _ in server.requests]
    assert len(keys) == 4
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert {body for _, _, body in server.requests} == {b'{"name":"n","description":""}'}


def test_a_conflict_of_our_own_making_is_waited_out_another_is_told(server, call):
    server.script += [answer(409, retry_after=0)]
    with pytest.raises(Conflict):
        call("detectors.create", name="n")
    assert len(server.requests) == 1


def test_what_is_deleted_already_by_the_first_try_is_deleted(server, call):
    server.script += [DROP, answer(404)]
    assert call("datasets.delete", "x") is None
    server.script += [answer(404)]
    with pytest.raises(NotFound):
        call("datasets.delete", "x")
    server.script += [answer(429), answer(404)]  # the first try was refused: it was not us
    with pytest.raises(NotFound):
        call("datasets.delete", "x")


def test_a_conditional_change_is_not_repeated_when_its_answer_is_lost(server, call):
    server.script += [DROP]
    with pytest.raises(ConnectionFailed):
        call("datasets.delete", "x", if_match='"tag"')
    [(_, headers, _)] = server.requests
    assert headers["if-match"] == '"tag"'
    server.script += [answer(503), answer(412)]
    with pytest.raises(PreconditionFailed):
        call("datasets.delete", "x", if_match='"tag"')


def test_what_must_not_happen_twice_is_not_repeated_when_its_answer_is_lost(server, call):
    server.script += [DROP]
    with pytest.raises(ConnectionFailed):
        call("detectors.rollback", "d")
    server.script += [answer(502)]
    with pytest.raises(ServerError):
        call("detectors.rollback", "d")
    server.script += [answer(429), answer(body=DETECTOR)]  # refused is not lost
    assert call("detectors.rollback", "d").id == "d"


def test_an_upload_that_broke_is_sent_again_as_a_whole(server, call, tmp_path):
    file = tmp_path / "täble.csv"
    file.write_bytes(b"a,b\n" + b"1,2\n" * 50_000)
    sent = []
    server.script += [DROP, answer(202, {"id": "x"}), answer(404)]
    with pytest.raises(NotFound):  # of the dataset; the upload itself went well
        call("datasets.upload", file, wait=False, progress=lambda *bytes_: sent.append(bytes_))
    (_, first, _), (line, second, body), _ = server.requests
    assert line == "POST /api/v1/datasets/upload HTTP/1.1"
    assert file.read_bytes() in body
    assert first["content-length"] == second["content-length"] == str(len(body))
    assert first["idempotency-key"] == second["idempotency-key"]
    assert sent[-1] == (len(body), len(body))


def test_a_download_that_broke_leaves_nothing_and_is_begun_again(server, call, tmp_path):
    server.script += [CUT, answer(body=b"whole")]
    call("detections.export", "r", tmp_path / "out.csv")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"out.csv": b"whole"}
    server.script += [CUT] * 4
    with pytest.raises(ConnectionFailed):
        call("detections.export", "r", tmp_path / "out.csv")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"out.csv": b"whole"}
    server.script += [answer(404, {"detail": "gone"})]
    with pytest.raises(NotFound, match="gone"):
        call("detections.export", "r", tmp_path / "other.csv")
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_files_that_cannot_be_are_told_at_once(server, call, tmp_path):
    with pytest.raises(errors.FileMissing):
        call("datasets.upload", tmp_path / "none.csv")
    server.script += [answer(body=b"whole")]
    with pytest.raises(errors.NotWritable):
        call("detections.export", "r", tmp_path / "no" / "out.csv")


def test_a_problem_is_read_to_its_last_field(server, call):
    problem = {
        "detail": "The request is not valid.",
        "code": "invalid_request",
        "correlation_id": "abc",
        "errors": [{"in": "body", "pointer": "#/name", "detail": "too long"}],
    }
    server.script += [answer(422, problem)]
    with pytest.raises(InvalidRequest) as raised:
        call("detectors.create", name="n")
    error = raised.value
    assert (error.message, error.code, error.request_id) == (problem["detail"], "invalid_request", "abc")
    assert [(one.place, one.pointer, one.detail) for one in error.errors] == [("body", "#/name", "too long")]
    assert isinstance(error, errors.InputError)
    assert error.exit_code == 3


@pytest.mark.parametrize(
    ("body", "says"),
    [(b"<html>proxy</html>", "502 Bad Gateway"), (b"[1]", "502"), (b'{"errors": 3}', "502")],
)
def test_an_answer_of_a_proxy_is_put_in_words(server, call, body, says):
    server.script += [answer(502, body)] * 4
    with pytest.raises(ServerError, match=says):
        call("jobs.get", "j")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"id": 3}'])
def test_what_is_not_the_api_is_told(server, call, body):
    server.script += [answer(200, body)]
    with pytest.raises(UnexpectedAnswer):
        call("jobs.get", "j")


def test_another_address_is_not_followed_with_our_key(server, call):
    server.script += [answer(307, location="http://host.evil/")]
    with pytest.raises(UnexpectedAnswer, match=r"host\.evil"):
        call("jobs.get", "j")


def test_fields_of_later_servers_are_kept(server, call):
    server.script += [answer(body=JOB | {"new": [1]}, etag='"t"')]
    job = call("jobs.get", "j")
    assert (job.new, job.etag) == ([1], '"t"')


def test_names_stay_in_their_place(server, call):
    server.script += [answer(404)]
    with pytest.raises(NotFound):
        call("jobs.get", "../../admin?x=1#")
    assert server.requests[0][0] == "GET /api/v1/jobs/..%2F..%2Fadmin%3Fx%3D1%23 HTTP/1.1"


def test_nobody_there(call, server):
    server.close()
    with pytest.raises(ConnectionFailed):
        call("jobs.get", "j")
    server.listener = socket.create_server(("127.0.0.1", 0))
