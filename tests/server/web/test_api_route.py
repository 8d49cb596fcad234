"""What all operations of the API have in common: closed query parameters, sparse fields, the next page."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from pynomaly.server.users.models import User
from pynomaly.server.web.api_route import ApiRoute, Fields
from pynomaly.server.web.deps import Cursor, Limit, may
from pynomaly.server.web.schema import Answer

pytestmark = pytest.mark.any_database

PATH = "/api/v1/things"


class Thing(Answer):
    """An item."""

    id: str
    name: str
    size: int


class Things(Answer):
    """A page."""

    items: list[Thing]
    next_cursor: str | None


@pytest.fixture
def app(app: FastAPI) -> FastAPI:
    """The application, with a list and one of its items."""
    router = APIRouter(prefix=PATH, route_class=ApiRoute)
    reader = Annotated[User, may("datasets:read")]
    thing = Thing(id="1", name="é,ü", size=3)

    @router.get("")
    def show_all(_actor: reader, limit: Limit = 50, cursor: Cursor = None, _fields: Fields = None) -> Things:
        return Things(items=[thing] * limit, next_cursor=None if cursor else "bmV4dA")

    @router.get("/one")
    def show(_actor: reader, _fields: Fields = None) -> Thing:
        return thing

    @router.get("/whole")
    def whole(_actor: reader) -> Thing:
        return thing

    app.include_router(router)
    return app


def test_a_misspelled_parameter_is_an_error(api: httpx.Client) -> None:
    answer = api.get(f"{PATH}?limti=3")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/limti")
    assert "cursor, fields, limit" in answer.json()["detail"]
    assert api.get(f"{PATH}/whole?fields=id").status_code == 422
    twice = api.get(f"{PATH}?limit=3&limit=4")
    assert (twice.status_code, "2 times" in twice.json()["detail"]) == (422, True)


def test_strangers_do_not_hear_what_there_is(client: httpx.Client) -> None:
    assert client.get(f"{PATH}?limti=3").status_code == 401


def test_only_the_fields_that_are_wanted(api: httpx.Client) -> None:
    assert api.get(f"{PATH}?fields=name&limit=1").json() == {
        "items": [{"name": "é,ü"}],
        "next_cursor": "bmV4dA",
    }
    answer = api.get(f"{PATH}/one?fields=size, id")
    assert answer.json() == {"id": "1", "size": 3}
    assert int(answer.headers["content-length"]) == len(answer.content)
    for wrong in ("name,secret", "items", "name;id"):
        refused = api.get(f"{PATH}?fields={wrong}")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/fields")
    assert "id, name, size" in refused.json()["detail"]


def test_the_next_page_has_an_address(api: httpx.Client) -> None:
    first = api.get(f"{PATH}?limit=2&fields=id")
    following = first.links["next"]["url"]
    assert following == f"{PATH}?limit=2&fields=id&cursor=bmV4dA"
    last = api.get(following)
    assert (last.status_code, last.json()["next_cursor"], "link" in last.headers) == (200, None, False)


@pytest.mark.parametrize("moment", ["0.5", "1767225600", "2026-01-31", "2026-01-31T09:30:00", "now"])
def test_a_time_is_written_out(api: httpx.Client, moment: str) -> None:
    """With a zone; a number is no moment, though Pydantic takes it for seconds since 1970."""
    assert api.get("/api/v1/jobs", params={"until": moment}).status_code == 422
    assert api.get("/api/v1/jobs", params={"until": "2026-01-31T09:30:00Z"}).status_code == 200
    key = {"name": "k", "scopes": ["jobs:read"], "expires_at": 4102444800}
    assert api.post("/api/v1/auth/api-keys", json=key).status_code == 422


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "image/png"])
def test_a_body_of_another_kind(api: httpx.Client, kind: str) -> None:
    """It is told as such, to who may ask, and not as a body in which nothing was found."""
    body, headers = b'{"name": "Watch"}', {"Content-Type": kind}
    answer = api.post("/api/v1/detectors", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type"), answer.text
    assert answer.json()["detail"] == "Send the body as application/json."
    assert (
        httpx.post(api.base_url.join("/api/v1/detectors"), content=body, headers=headers).status_code == 401
    )
    merge = api.post("/api/v1/detectors", content=body, headers={"Content-Type": "application/x+json"})
    assert merge.status_code == 201
    assert api.post("/api/v1/detectors").status_code == 422


@pytest.mark.parametrize(
    "body",
    [{"contamination": "0.1"}, {"max_alerts": "3"}, {"max_alerts": 3.0}, {"seed": "1"}, {"seed": True}],
)
def test_a_number_as_text_is_none(api: httpx.Client, body: dict[str, Any]) -> None:
    answer = api.post("/api/v1/detectors", json={"name": "Watch"} | body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == f"#/{next(iter(body))}"
