"""The WebSocket on a real server: who gets in, what is told, how soon it ends, and what it bears."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from pynomaly.errors import CrossSite
from pynomaly.server.db import Database, new_id, utc_now
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.schemas import JobAnswer
from pynomaly.server.live import api as live
from pynomaly.server.live.credentials import Credential, Standing
from pynomaly.server.live.hub import MOST_CONNECTIONS, MOST_JOBS, Hub
from pynomaly.server.users.models import ApiKey, Login, User
from pynomaly.server.users.tokens import digest
from pynomaly.server.web.sockets import check_handshake

pytestmark = pytest.mark.any_database

Headers = list[tuple[str, str]]
NOWHERE = "00000000-0000-4000-8000-000000000000"


@contextmanager
def following(url: str, headers: Headers | None = None, path: str = "/ws") -> Iterator[ClientConnection]:
    address = url.replace("http://", "ws://") + path
    with connect(address, additional_headers=headers or [], proxy=None) as connection:
        yield connection


def refusal(url: str, headers: Headers | None = None) -> tuple[int, str]:
    """The status and code of the answer in place of a connection."""
    with pytest.raises(InvalidStatus) as found, following(url, headers):
        pass
    response = found.value.response
    problem = json.loads(response.body or b"{}")
    if problem:
        assert response.headers["content-type"] == "application/problem+json"
        assert problem["correlation_id"] == response.headers["x-request-id"] != ""
    return response.status_code, problem.get("code", "")


def subscribe(connection: ClientConnection, *ids: str) -> None:
    connection.send(json.dumps({"subscribe": {"jobs": ids}}))


def told(connection: ClientConnection, seconds: float = 20) -> Any:
    return json.loads(connection.recv(timeout=seconds))


def token_of(api: httpx.Client) -> Headers:
    return [("Authorization", api.headers["authorization"])]


def cookie_of(browser: httpx.Client) -> tuple[str, str]:
    return ("Cookie", "; ".join(f"{name}={value}" for name, value in browser.cookies.items()))


@pytest.fixture
def make_key(database: Database) -> Callable[..., tuple[ApiKey, Headers]]:
    """Make an API key of an account."""

    def make(user: User, scopes: list[str], **more: Any) -> tuple[ApiKey, Headers]:
        secret = f"pyn_{new_id()}"
        with database.session() as session:
            key = ApiKey(
                user_id=user.id, name="k", prefix="pyn_", key_hash=digest(secret), scopes=scopes, **more
            )
            session.add(key)
        return key, [("X-API-Key", secret)]

    return make


def make_job(database: Database, user: User | None) -> str:
    with database.session() as session:
        owner_id = user.id if user is not None else None
        return queue.enqueue(session, "nobody.runs", {}, owner_id=owner_id, subject_id=None).id


def user_of(database: Database, email: str = "ada@example.org") -> User:
    with database.session(write=False) as session:
        return session.query(User).filter_by(email=email).one()


@pytest.mark.usefixtures("worker")
def test_a_job_from_start_to_end(api: httpx.Client, url: str) -> None:
    """The state at once, then each change, the end included; progress never goes back."""
    answer = api.post("/api/v1/datasets/upload", files={"file": ("t.csv", b"a,b\n1,2\n3,4\n5,7\n")}).json()
    with following(url, token_of(api)) as connection:
        subscribe(connection, answer["job_id"])
        seen = [told(connection)["job"]]
        while seen[-1]["status"] not in ("completed", "failed"):
            seen.append(told(connection)["job"])
        assert seen[-1] == api.get(f"/api/v1/jobs/{answer['job_id']}").json()
        order = ("queued", "running", "completed")
        places = [order.index(job["status"]) for job in seen]
        assert places == sorted(places)
        subscribe(connection, answer["job_id"])
        assert told(connection)["job"] == seen[-1]


def test_each_change_is_told(api: httpx.Client, url: str, database: Database) -> None:
    """By whatever process it was made; not what was unsubscribed."""
    job, other = (make_job(database, user_of(database)) for _ in range(2))
    with following(url, token_of(api)) as connection:
        subscribe(connection, job, other)
        assert {told(connection)["job"]["id"] for _ in range(2)} == {job, other}
        connection.send(json.dumps({"unsubscribe": {"jobs": [other]}}))
        for progress in (0.25, 0.5):
            with database.session() as session:
                session.execute(update(Job).values(progress=progress))
            found = told(connection, 2)["job"]
            assert (found["id"], found["progress"]) == (job, progress)


def test_strangers_hear_401(
    url: str, api: httpx.Client, make_key: Any, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Without credentials, with wrong ones, with two at once; 403 for a key without the scope."""
    user = user_of(database)
    past = utc_now() - timedelta(seconds=1)
    _, good = make_key(user, ["jobs:read"])
    _, narrow = make_key(user, ["datasets:read"])
    _, old = make_key(user, ["jobs:read"], expires_at=past)
    _, revoked = make_key(user, ["jobs:read"], revoked_at=past)
    assert refusal(url) == (401, "unauthenticated")
    for headers in (
        [("Authorization", "Bearer nonsense")],
        [("Authorization", "Basic YTpi")],
        [("X-API-Key", "pyn_nonsense")],
        [("Cookie", "pynomaly_session=nonsense"), ("Origin", url)],
        old,
        revoked,
        [*good, *token_of(api)],
    ):
        assert refusal(url, headers)[0] == 401, headers
    assert refusal(url, narrow) == (403, "forbidden")
    with following(url, good):
        pass
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
    bearer = [("Authorization", f"Bearer {good[0][1]}")]
    with following(url, bearer):
        pass


def test_other_sites_are_refused(url: str, browser: httpx.Client, database: Database) -> None:
    """A page elsewhere cannot use its visitor's cookie, and nothing without a host gets in."""
    cookie, host = cookie_of(browser), url.removeprefix("http://")
    for origin in (
        "https://evil.example",
        f"{url}.evil",
        f"https://{host}.evil",
        "null",
        "",
        f"http://evil.example/{host}",
        "http://127.0.0.1:1",
        f"{url}@evil.example",
    ):
        assert refusal(url, [cookie, ("Origin", origin)]) == (403, "cross_site_request"), origin
    assert refusal(url, [cookie]) == (403, "cross_site_request")
    twice = [(b"host", host.encode()), (b"origin", url.encode()), (b"origin", b"https://evil.example")]
    with pytest.raises(CrossSite):  # the server itself refuses it too
        check_handshake({"type": "websocket", "path": "/ws", "query_string": b"", "headers": twice}, "")
    assert refusal(url, [("Origin", "https://evil.example")])[0] == 403
    assert (
        refusal(url, [cookie, ("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")])[0]
        == 403
    )
    for own in (url, f"https://{host}", url.upper().replace("HTTP", "http")):
        with following(url, [cookie, ("Origin", own)]) as connection:
            subscribe(connection, make_job(database, user_of(database)))
            assert told(connection)["job"]["status"] == "queued"


def test_a_host_that_is_none(url: str, api: httpx.Client) -> None:
    """Is refused before anybody asks who it is; a refusal leaves no error in the log."""
    host, port = url.removeprefix("http://").split(":")
    for wrong in ("a b", "x/y", "", "evil@127.0.0.1", "[::1"):
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(
                f"GET /ws HTTP/1.1\r\nHost: {wrong}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                f"Authorization: {api.headers['authorization']}\r\n\r\n".encode()
            )
            assert raw.recv(4096).split(b"\r\n")[0].split()[1] == b"400", wrong


@pytest.mark.parametrize("path", ["//ws", "/ws/", "/ws/x", "/api/v1/ws", "/jobs", "/"])
def test_no_other_address_is_a_socket(url: str, api: httpx.Client, path: str) -> None:
    """Not for who is logged in either."""
    with pytest.raises(InvalidStatus) as found, following(url, token_of(api), path=path):
        pass
    assert found.value.response.status_code in (403, 404)


def test_only_what_one_may_see(url: str, api: httpx.Client, log_in: Any, database: Database) -> None:
    """Another's job is not there, before and after it changes; an administrator sees it."""
    job = make_job(database, user_of(database))
    eve, root = log_in("eve@example.org"), log_in("root@example.org", "admin")
    with following(url, token_of(eve)) as stranger, following(url, token_of(root)) as administrator:
        subscribe(stranger, job, NOWHERE, "x")
        answers = [told(stranger) for _ in range(3)]
        assert all("error" in answer for answer in answers)
        errors = [answer["error"] for answer in answers]
        assert {(error["code"], error["id"]) for error in errors} == {
            ("not_found", job),
            ("not_found", NOWHERE),
            ("not_found", "x"),
        }
        subscribe(administrator, job)
        assert told(administrator)["job"]["id"] == job
        with database.session() as session:
            session.execute(update(Job).values(progress=0.5))
        assert told(administrator)["job"]["progress"] == 0.5
        with pytest.raises(TimeoutError):
            stranger.recv(timeout=0.6)
        with database.session() as session:
            session.execute(update(User).where(User.email == "root@example.org").values(role="viewer"))
            session.execute(update(Job).values(progress=0.75))
        with pytest.raises(TimeoutError):
            administrator.recv(timeout=0.6)


def _drain(connection: ClientConnection) -> None:
    while True:
        connection.recv(timeout=10)


def closed_within(connection: ClientConnection, seconds: float) -> int:
    """Wait for the close; gives its code."""
    begun = time.monotonic()
    with pytest.raises(ConnectionClosed) as found:
        _drain(connection)
    assert time.monotonic() - begun < seconds
    assert found.value.rcvd is not None
    return found.value.rcvd.code


@pytest.mark.parametrize("how", ["log out", "revoke", "disable", "expire", "delete"])
def test_the_end_of_a_log_in(url: str, api: httpx.Client, database: Database, how: str) -> None:
    """4401 within a second."""
    with following(url, token_of(api)) as connection:
        subscribe(connection, make_job(database, user_of(database)))
        told(connection)
        if how == "log out":
            assert api.post("/api/v1/auth/logout").status_code == 204
        else:
            changes: dict[str, Any] = {
                "revoke": update(Login).values(revoked_at=utc_now()),
                "disable": update(User).values(active=False),
                "expire": update(Login).values(expires_at=utc_now()),
                "delete": Login.__table__.delete(),  # type: ignore[attr-defined]
            }
            with database.session() as session:
                session.execute(changes[how])
        assert closed_within(connection, 1.0) == 4401


@pytest.mark.parametrize("how", ["revoke", "disable"])
def test_the_end_of_a_cookie(url: str, browser: httpx.Client, database: Database, how: str) -> None:
    """The same for a browser; others stay."""
    with following(url, [cookie_of(browser), ("Origin", url)]) as connection:
        with database.session() as session:
            if how == "revoke":
                session.execute(update(Login).values(revoked_at=utc_now()))
            else:
                session.execute(update(User).values(active=False))
        assert closed_within(connection, 1.0) == 4401


def test_the_end_of_a_key(url: str, api: httpx.Client, database: Database, make_key: Any) -> None:
    """Revoked, or run out while nothing in the database changes; a good one stays."""
    user = user_of(database)
    ending, soon = make_key(user, ["jobs:read"], expires_at=utc_now() + timedelta(seconds=1.5))
    revoked, now = make_key(user, ["jobs:read"])
    _, good = make_key(user, ["jobs:read"])
    assert ending.id != revoked.id
    with following(url, good) as lasting, following(url, soon) as first, following(url, now) as second:
        with database.session() as session:
            session.execute(update(ApiKey).where(ApiKey.id == revoked.id).values(revoked_at=utc_now()))
        assert closed_within(second, 1.0) == 4401
        assert closed_within(first, 2.5) == 4401
        subscribe(lasting, make_job(database, user))
        assert told(lasting)["job"]["status"] == "queued"


def test_what_makes_no_sense(url: str, api: httpx.Client) -> None:
    """It is told a few times, then it is over."""
    bad: list[str | bytes] = ["", "{", "[]", "{}", '{"subscribe": {}}', '{"x": 1}', "[" * 60_000, b"\x00\xff"]
    bad += ['{"subscribe": {"jobs": []}}', '{"subscribe": {"jobs": [1]}}']
    with following(url, token_of(api)) as connection:
        for message in bad:
            connection.send(message)
            assert told(connection)["error"]["code"] == "bad_request"
        connection.send("{}")
        assert closed_within(connection, 5) == 1008


def test_bounds(url: str, api: httpx.Client, database: Database) -> None:
    """Message size, subscriptions, connections of one account."""
    with following(url, token_of(api)) as connection:
        connection.send("x" * 70_000)
        assert closed_within(connection, 5) == 1009
    with following(url, token_of(api)) as connection:
        user = user_of(database)
        jobs = [make_job(database, user) for _ in range(3)]
        subscribe(connection, *jobs)
        for _ in jobs:
            told(connection)
        subscribe(connection, *(f"{i}" for i in range(MOST_JOBS - 2)))
        assert told(connection)["error"]["code"] == "too_many"
        subscribe(connection, *(f"{i}" for i in range(MOST_JOBS + 1)))
        assert told(connection)["error"]["code"] == "bad_request"
        subscribe(connection, *(f"{i}" for i in range(MOST_JOBS - 3)))
        assert {told(connection)["error"]["code"] for _ in range(MOST_JOBS - 3)} == {"not_found"}


def test_connections_of_one_account(url: str, api: httpx.Client, log_in: Any, app: FastAPI) -> None:
    """The one too many is refused, others are not; when all are gone, nothing is watched any more."""
    with ExitStack() as stack:
        for _ in range(MOST_CONNECTIONS):
            stack.enter_context(following(url, token_of(api)))
        assert refusal(url, token_of(api)) == (429, "too_many_requests")
        with following(url, token_of(log_in("eve@example.org"))):
            pass
    hub: Hub = app.state.live
    deadline = time.monotonic() + 10
    while hub._watching is not None and not hub._watching.done():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
    with following(url, token_of(api)):
        assert hub._watching is not None


class Stuck:
    """A client that takes nothing."""

    async def send_text(self, _text: str) -> None:
        await asyncio.Event().wait()


def test_a_client_that_takes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for it is replaced, not added to; after a while it is let go."""
    monkeypatch.setattr(live, "SLOW_SECONDS", 0.05)
    with pytest.raises(live._Close, match="Nothing was taken") as found:
        asyncio.run(live._send(Stuck(), "x"))  # type: ignore[arg-type]
    assert found.value.code == 1013


def test_what_waits_is_replaced() -> None:
    """However many changes there are, at most one message per job waits."""
    user = User(id="u", role="user")
    follower = live.Follower(Credential("l", False), Standing(user, None))
    fields = dict.fromkeys(JobAnswer.model_fields)
    for step in range(100):
        job = JobAnswer.model_construct(**fields | {"id": "j", "status": "running", "progress": step / 100})
        follower.offer(job)
        follower.offer(job)
    assert len(follower.waiting) == 1
    assert json.loads(follower.waiting["j"])["progress"] == 0.99
