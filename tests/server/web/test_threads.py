"""Routes that run in a thread: signature, place and errors are as without."""

import asyncio
import threading
from inspect import iscoroutinefunction, signature

import pytest
from fastapi import APIRouter, FastAPI, HTTPException
from fastapi.routing import APIRoute
from pydantic import BaseModel

from pynomaly.server.web.threads import ThreadRoute, in_thread


class Answer(BaseModel):
    where: int


def work(number: int) -> Answer:
    """Say which thread works."""
    if number < 0:
        raise HTTPException(418)
    return Answer(where=threading.get_ident())


async def quick() -> Answer:
    return Answer(where=threading.get_ident())


def test_the_signature_stays() -> None:
    wrapped = in_thread(work)
    assert iscoroutinefunction(wrapped)
    assert signature(wrapped) == signature(work)
    assert wrapped.__doc__ == work.__doc__


def test_work_is_done_in_another_thread() -> None:
    found = asyncio.run(in_thread(work)(number=1))
    assert found.where != threading.get_ident()
    with pytest.raises(HTTPException):
        asyncio.run(in_thread(work)(number=-1))


def test_only_plain_endpoints_are_wrapped_and_only_once() -> None:
    router = APIRouter(route_class=ThreadRoute)
    router.get("/work")(work)
    router.get("/quick")(quick)
    endpoints = {route.path: route.endpoint for route in router.routes if isinstance(route, APIRoute)}
    assert endpoints["/quick"] is quick
    assert iscoroutinefunction(endpoints["/work"])
    assert endpoints["/work"].__wrapped__ is work  # type: ignore[attr-defined]
    assert ThreadRoute("/again", endpoints["/work"]).endpoint is endpoints["/work"]


def test_the_description_is_of_the_endpoint() -> None:
    app = FastAPI()
    router = APIRouter(route_class=ThreadRoute)
    router.get("/work")(work)
    app.include_router(router)
    operation = app.openapi()["paths"]["/work"]["get"]
    assert operation["description"] == "Say which thread works."
    assert operation["parameters"][0]["name"] == "number"
