"""What routes are handed: a committed transaction, and the person who is really asking."""

from collections.abc import Callable
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from pynomaly.errors import Conflict
from pynomaly.server.db import Database
from pynomaly.server.users.models import User
from pynomaly.server.web.deps import Cursor, Limit, PageActor, SessionDep, SettingsDep, may

LogIn = Callable[..., httpx.Client]


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """The application, with a route for each kind of need."""

    def rename(actor: Annotated[User, may("datasets:write")], session: SessionDep, name: str) -> str:
        session.merge(actor).name = name
        if name == "undo":
            raise Conflict
        return name

    def whoami(actor: PageActor, settings: SettingsDep, response: Response) -> str:
        response.headers["X-Home"] = str(settings.home)
        return actor.role

    def manage(actor: Annotated[User, may("users:write")]) -> str:
        return actor.email

    def items(limit: Limit = 50, cursor: Cursor = None) -> list[object]:
        return [limit, cursor]

    for path, route in (("rename", rename), ("whoami", whoami), ("manage", manage), ("items", items)):
        app.add_api_route(f"/api/v1/{path}", route, methods=["GET", "POST"])
    return app


def test_a_change_is_there_when_the_answer_arrives(api: httpx.Client, database: Database) -> None:
    for name in ("Ada", "Augusta"):
        assert api.post(f"/api/v1/rename?name={name}").json() == name
        with database.session(write=False) as session:
            assert session.scalar(text("select name from users")) == name


def test_an_error_undoes_the_change(api: httpx.Client, database: Database) -> None:
    assert api.post("/api/v1/rename?name=undo").status_code == 409
    with database.session(write=False) as session:
        assert session.scalar(text("select name from users")) == ""


def test_a_failed_commit_is_no_success(
    api: httpx.Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise SQLAlchemyError

    monkeypatch.setattr("sqlalchemy.orm.Session.flush", fail)
    assert api.post("/api/v1/rename?name=Ada").status_code == 500


def test_a_safe_method_cannot_change_anything(api: httpx.Client, database: Database) -> None:
    assert api.get("/api/v1/rename?name=Eve").status_code == 500
    with database.session(write=False) as session:
        assert session.scalar(text("select name from users")) == ""


def test_a_viewer_may_look_but_not_touch(log_in: LogIn) -> None:
    viewer = log_in(role="viewer")
    assert viewer.get("/api/v1/whoami").json() == "viewer"
    answer = viewer.post("/api/v1/rename?name=x")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert viewer.post("/api/v1/auth/logout").status_code == 204


def test_a_permission_may_be_required(log_in: LogIn) -> None:
    assert log_in("ada@example.org").get("/api/v1/manage").status_code == 403
    assert log_in("root@example.org", role="admin").get("/api/v1/manage").json() == "root@example.org"
    strangers = httpx.Client(base_url=log_in("bob@example.org").base_url)
    assert strangers.get("/api/v1/manage").status_code == 401
    strangers.close()


def test_a_cookie_and_a_token_both_say_who_it_is(browser: httpx.Client) -> None:
    answer = browser.get("/api/v1/whoami")
    assert (answer.json(), "x-home" in answer.headers) == ("user", True)


def test_limits_and_cursors_are_checked(client: httpx.Client) -> None:
    assert client.get("/api/v1/items").json() == [50, None]
    assert client.get("/api/v1/items?limit=200&cursor=x").json() == [200, "x"]
    for bad in (
        "limit=0",
        "limit=201",
        "limit=1e9",
        "limit=1000000000",
        "limit=x",
        "limit=",
        f"cursor={'x' * 4001}",
    ):
        answer = client.get(f"/api/v1/items?{bad}")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
