"""Every error is a problem for programs and a page for browsers, with a correlation id but no secrets."""

import sqlite3
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from starlette.responses import StreamingResponse

from pynomaly.errors import Busy, ConfigurationError, NotReady
from pynomaly.server.db import Database
from pynomaly.server.detectors.models import Detector
from pynomaly.server.web import errors

pytestmark = pytest.mark.any_database

MEMBERS = {"type", "title", "status", "detail", "code", "correlation_id"}
JSON = {"Content-Type": "application/json"}
HTML = {"Accept": "text/html,application/xhtml+xml"}
LOG_IN = "/api/v1/auth/login"


def check(answer: httpx.Response, status: int, code: str) -> dict[str, object]:
    """Check that the answer is a problem with this status and code."""
    problem: dict[str, object] = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(problem) >= MEMBERS
    assert problem["correlation_id"] == answer.headers["x-request-id"]
    return problem


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """The application, with routes that fail in every way."""
    failures = {
        "bug": RuntimeError("the password is hunter2"),
        "data": DataError("insert", {"password": "hunter2"}, ValueError("too long")),
        "locked": OperationalError("insert", {}, sqlite3.OperationalError("database is locked")),
        "unreachable": OperationalError("select", {}, ValueError("connection refused")),
        "down": OperationalError(
            "select", {"password": "hunter2"}, sqlite3.OperationalError("no such table")
        ),
        "overtaken": IntegrityError(
            "insert", {"password": "hunter2"}, sqlite3.IntegrityError("FOREIGN KEY constraint failed")
        ),
        "wrong": IntegrityError(
            "insert", {}, sqlite3.IntegrityError("NOT NULL constraint failed: users.email")
        ),
        "busy": Busy(retry_after=7),
        "conflict": NotReady("It is being made.", job="j1"),
        "ours": ConfigurationError("the path is /secret"),
    }
    for name, failure in failures.items():

        def fail(failure: Exception = failure) -> None:
            raise failure

        fail.__annotations__.clear()
        app.add_api_route(f"/api/v1/fail/{name}", lambda failure=failure: fail(failure), response_model=None)
        app.add_api_route(f"/fail/{name}", lambda failure=failure: fail(failure), response_model=None)
    app.add_api_route("/api/v1/fail/late", lambda: StreamingResponse(_break_off()), response_model=None)
    return app


def _break_off() -> Iterator[bytes]:
    yield b"half"
    raise RuntimeError("broken off")


def test_an_unknown_address_is_404(client: httpx.Client) -> None:
    for path in ("/api/v1/nothing", "/nothing", "/static/nothing.css", "/api/v1/health/", "//api/v1/health"):
        check(client.get(path), 404, "not_found")


def test_another_method_is_405_with_all_the_allowed_ones(client: httpx.Client) -> None:
    answer = client.delete(LOG_IN)
    check(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "OPTIONS, POST"
    assert client.put("/api/v1/health").headers["allow"] == "GET, HEAD, OPTIONS"
    check(client.post("/static/icon.svg", headers={"Sec-Fetch-Site": "none"}), 405, "method_not_allowed")


def test_options_names_the_methods(client: httpx.Client) -> None:
    answer = client.options(LOG_IN)
    assert (answer.status_code, answer.headers["allow"]) == (204, "OPTIONS, POST")


def test_head_is_get_without_the_body(client: httpx.Client) -> None:
    got, headed = client.get("/api/v1/health/live"), client.head("/api/v1/health/live")
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["content-length"] == got.headers["content-length"]
    assert client.head(LOG_IN).status_code == 405


UNUSABLE = [
    b"",
    b"[]",
    b"null",
    b"3",
    b'{"email": "a@b.c"}',
    b'{"email": "a@b.c", "password": 3}',
    b'{"email": "a@b.c", "password": "x", "role": "admin"}',
    b'{"email": "a@b.c", "password": NaN}',
    b'{"email": "a@b.c", "password": -Infinity}',
    b'{"email": "a@b.c", "password": 1e400}',
    b'{"email": "a@b.c", "password": 12345678901234567890123}',
    b'{"email": "a@b.c", "password": "\\ud800"}',
    b'{"email": "a\\u0000@b.c", "password": "x"}',
]
NOT_JSON = [b"{", b"\xff\xfe", b'{"a": "\xed\xa0\x80"}', b"[" * 100_000, b"{'a': 1}"]


def test_values_that_cannot_be_used_are_422(client: httpx.Client) -> None:
    for body in UNUSABLE:
        answer = client.post(LOG_IN, content=body, headers=JSON)
        check(answer, 422, answer.json()["code"])


def test_a_body_that_is_not_json_is_400(client: httpx.Client) -> None:
    for body in NOT_JSON:
        check(client.post(LOG_IN, content=body, headers=JSON), 400, "bad_request")


def test_a_wrong_field_is_pointed_at_but_its_value_is_not_repeated(client: httpx.Client) -> None:
    answer = client.post(LOG_IN, json={"email": "a@b.c", "password": ["hunter2"], "x/y~z": "hunter2"})
    problem = check(answer, 422, "invalid_request")
    assert {(error["in"], error["pointer"]) for error in problem["errors"]} == {  # type: ignore[attr-defined]
        ("body", "#/password"),
        ("body", "#/x~1y~0z"),
    }
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"algorithm": "knn", "parameters": {"n_neighbors": 0}}, "#/parameters/n_neighbors"),
        ({"parameters": {"a/b": 0}}, "#/parameters/a~1b"),
        ({"algorithm": "ensemble", "parameters": {"members": "knn(p=0)"}}, "#/parameters/members"),
        ({"algorithm": "ensemble", "parameters": {"weights": [1]}}, "#/parameters/weights"),
        ({"algorithm": "nope"}, "#/algorithm"),
        ({"contamination": 0.7}, "#/contamination"),
        ({"contamination": 0.1, "fdr": 0.1}, "#/fdr"),
        ({"columns": []}, "#/columns"),
    ],
)
def test_a_setting_that_cannot_be_is_pointed_at(
    api: httpx.Client, body: dict[str, object], pointer: str
) -> None:
    answer = api.post("/api/v1/detectors", json={"name": "d", **body})
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["errors"] == [{"in": "body", "pointer": pointer, "detail": problem["detail"]}]


def test_a_large_body_is_413(client: httpx.Client) -> None:
    for body in (b"x" * (2**20 + 1), iter([b"[", b" " * 2**20, b"]"])):
        check(client.post(LOG_IN, content=body, headers=JSON), 413, "too_large")


def test_a_bug_is_500_and_says_nothing_of_the_inside(client: httpx.Client) -> None:
    for name in ("bug", "down"):
        answer = client.get(f"/api/v1/fail/{name}")
        assert "hunter2" not in answer.text
        check(answer, 500, "internal_error")


def test_database_errors_that_a_client_can_act_on(client: httpx.Client) -> None:
    check(client.get("/api/v1/fail/data"), 422, "bad_value")
    for name in ("locked", "unreachable"):
        answer = client.get(f"/api/v1/fail/{name}")
        check(answer, 503, "busy")
        assert answer.headers["retry-after"] == "1"


def test_our_own_errors_carry_code_details_and_retry_after(client: httpx.Client) -> None:
    answer = client.get("/api/v1/fail/busy")
    check(answer, 503, "busy")
    assert answer.headers["retry-after"] == "7"
    problem = check(client.get("/api/v1/fail/conflict"), 409, "not_ready")
    assert (problem["detail"], problem["details"]) == ("It is being made.", {"job": "j1"})
    assert check(client.get("/api/v1/fail/ours"), 500, "bad_configuration")["detail"] == errors.SORRY


def test_unauthenticated_says_how_to_authenticate(client: httpx.Client) -> None:
    answer = client.get("/api/v1/auth/me")
    check(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="pynomaly"'


def test_browsers_get_a_page(client: httpx.Client) -> None:
    for path, status in (("/nothing", 404), ("/fail/bug", 500), ("/fail/conflict", 409)):
        answer = client.get(path, headers=HTML)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["x-request-id"] in answer.text
        assert "hunter2" not in answer.text


def test_the_api_gives_browsers_problems_too(client: httpx.Client) -> None:
    check(client.get("/api/v1/nothing", headers=HTML), 404, "not_found")


def test_when_the_error_page_itself_breaks_a_problem_is_sent(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("no template")

    monkeypatch.setattr(errors, "render", broken)
    check(client.get("/fail/bug", headers=HTML), 500, "internal_error")


def test_an_error_in_the_middle_of_an_answer_breaks_the_connection(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/api/v1/fail/late")
    assert client.get("/api/v1/health/live").status_code == 200


def test_json_that_only_the_framework_refuses_is_400() -> None:
    error = RequestValidationError([{"type": "json_invalid", "loc": ("body", 1), "msg": "x", "input": {}}])
    assert errors.problem_of(error).status == 400


def test_a_row_whose_target_was_deleted_meanwhile_is_a_conflict(client: httpx.Client) -> None:
    check(client.get("/api/v1/fail/overtaken"), 409, "conflict")
    check(client.get("/api/v1/fail/wrong"), 500, "internal_error")


def test_every_database_tells_it(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, database.session() as session:
        session.add(Detector(owner_id="00000000-0000-4000-8000-000000000000", name="d", algorithm="hbos"))
    assert errors.problem_of(caught.value).status == 409
