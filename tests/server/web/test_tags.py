"""Entity tags: a client that has the answer gets none, and one that has an old answer changes nothing."""

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from pynomaly.server.web.schema import Answer
from pynomaly.server.web.tags import TagsDep, tag_of

pytestmark = pytest.mark.any_database


class Thing(Answer):
    """What the test's routes answer."""

    name: str


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """The application, with a thing to read and change."""
    router = APIRouter(prefix="/api/v1/thing")
    thing = Thing(name="old")

    @router.get("")
    async def read(tags: TagsDep) -> Thing:
        return tags.give(thing)

    @router.patch("")
    async def change(tags: TagsDep, name: str) -> Thing:
        tags.require(thing)
        thing.name = name
        return tags.give(thing)

    app.include_router(router)
    return app


def test_who_has_the_answer_gets_none(client: httpx.Client) -> None:
    first = client.get("/api/v1/thing")
    assert (first.status_code, first.json()) == (200, {"name": "old"})
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get("/api/v1/thing", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for unknown in ('"other"', "", tag.strip('"'), "nonsense"):
        assert client.get("/api/v1/thing", headers={"If-None-Match": unknown}).status_code == 200


def test_who_saw_an_old_state_changes_nothing(client: httpx.Client) -> None:
    tag = client.get("/api/v1/thing").headers["etag"]
    changed = client.patch("/api/v1/thing?name=new", headers={"If-Match": tag})
    assert (changed.status_code, changed.json()) == (200, {"name": "new"})
    assert changed.headers["etag"] != tag
    for wrong in (tag, f"W/{changed.headers['etag']}", '""', ""):
        late = client.patch("/api/v1/thing?name=lost", headers={"If-Match": wrong})
        assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert client.get("/api/v1/thing").json() == {"name": "new"}
    for right in (changed.headers["etag"], "*"):
        assert client.patch("/api/v1/thing?name=new", headers={"If-Match": right}).status_code == 200


def test_who_does_not_ask_is_not_stopped(client: httpx.Client) -> None:
    assert client.patch("/api/v1/thing?name=new").status_code == 200


def test_equal_answers_have_equal_tags() -> None:
    assert tag_of(Thing(name="a")) == tag_of(Thing(name="a"))
    assert tag_of(Thing(name="a")) != tag_of(Thing(name="b"))
