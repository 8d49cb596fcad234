"""Logging in and out, and setting up, in a browser."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from pynomaly.server.db import Database
from pynomaly.server.users import first
from pynomaly.server.users.models import Login, User
from pynomaly.settings import Settings

pytestmark = pytest.mark.any_database

FORM = {"email": "ada@example.org", "password": "correct horse battery"}
HTML = {"Accept": "text/html"}
MakeUser = Callable[..., User]


@pytest.fixture
def visitor(client: httpx.Client) -> httpx.Client:
    """A browser that is not logged in."""
    client.headers.update({"Origin": str(client.base_url).rstrip("/"), "Accept": "text/html"})
    return client


def me(client: httpx.Client) -> int:
    """What the API says about who this is."""
    return client.get("/api/v1/auth/me").status_code


def test_a_stranger_is_sent_to_log_in_and_back(visitor: httpx.Client, make_user: MakeUser) -> None:
    make_user()
    answer = visitor.get("/datasets?a=1&b=2")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/login?next=%2Fdatasets%3Fa%3D1%26b%3D2",
    )
    page = visitor.get(answer.headers["location"])
    assert page.status_code == 200
    assert 'value="/datasets?a=1&amp;b=2"' in page.text
    answer = visitor.post("/login", data={**FORM, "next": "/datasets?a=1&b=2"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/datasets?a=1&b=2")
    assert me(visitor) == 200
    assert visitor.post("/detectors/new", data={}).headers.get("location") != "/login"


def test_a_form_sent_by_a_stranger_leads_to_the_log_in_page(visitor: httpx.Client) -> None:
    answer = visitor.post("/detectors/new", data={})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


def test_a_program_that_asks_for_a_page_gets_401(client: httpx.Client) -> None:
    assert client.get("/datasets").status_code == 401


def test_nobody_is_sent_elsewhere(visitor: httpx.Client, make_user: MakeUser) -> None:
    make_user()
    for target in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:x"):
        assert "evil" not in visitor.get("/login", params={"next": target}).text
        assert visitor.post("/login", data={**FORM, "next": target}).headers["location"] == "/"


def test_the_cookie_is_new_at_each_log_in_and_the_old_one_ends(
    visitor: httpx.Client, make_user: MakeUser, url: str
) -> None:
    make_user()
    visitor.cookies.set("pynomaly_session", "planted")
    answer = visitor.post("/login", data=FORM)
    flags = answer.headers["set-cookie"]
    assert all(flag in flags for flag in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age=1209600"))
    assert "Secure" not in flags  # plain HTTP here
    first_cookie = answer.cookies["pynomaly_session"]
    assert first_cookie != "planted"
    visitor.cookies.clear()
    visitor.cookies.set("pynomaly_session", first_cookie)
    assert visitor.post("/login", data=FORM).cookies["pynomaly_session"] != first_cookie
    assert httpx.get(f"{url}/api/v1/auth/me", cookies={"pynomaly_session": first_cookie}).status_code == 401


def test_a_wrong_password_shows_the_form_again(visitor: httpx.Client, make_user: MakeUser) -> None:
    make_user()
    for _ in range(10):
        answer = visitor.post("/login", data={**FORM, "password": "wrong secret"})
    assert answer.status_code == 401
    assert "The e-mail address or the password is wrong." in answer.text
    assert 'value="ada@example.org"' in answer.text
    assert "wrong secret" not in answer.text
    answer = visitor.post("/login", data=FORM)
    assert answer.status_code == 429
    assert "Too many attempts" in answer.text
    assert "set-cookie" not in answer.headers


def test_logging_out_ends_the_log_in(browser: httpx.Client, database: Database) -> None:
    cookie = browser.cookies["pynomaly_session"]
    answer = browser.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "pynomaly_session" not in browser.cookies
    browser.cookies.set("pynomaly_session", cookie)
    assert me(browser) == 401
    assert browser.post("/logout").status_code == 303
    with database.session(write=False) as session:
        assert session.scalar(select(func.count()).select_from(Login).where(Login.revoked_at.is_(None))) == 0


def test_the_first_administrator_is_made_through_the_link(
    visitor: httpx.Client, database: Database, settings: Settings
) -> None:
    with database.session() as session:
        link = first.ensure(session, settings)
    assert link is not None
    token = link.partition("=")[2]
    assert visitor.get("/setup?token=guess").status_code == 403
    assert token in visitor.get(link).text
    answer = visitor.post("/setup", data={**FORM, "token": token, "password": "short"})
    assert answer.status_code == 422
    assert "The password must have 12 to 1024 characters." in answer.text
    answer = visitor.post("/setup", data={**FORM, "token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert visitor.get("/api/v1/auth/me").json()["role"] == "admin"
    assert visitor.get(link).status_code == 403
    assert (
        visitor.post("/setup", data={**FORM, "token": token, "email": "eve@example.org"}).status_code == 403
    )


def test_with_tls_the_cookie_is_bound_to_this_host(
    app: FastAPI, client: httpx.Client, make_user: MakeUser
) -> None:
    make_user()
    app.state.settings.base_url = "https://pynomaly.example"
    answer = client.post("/login", data=FORM, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.headers["set-cookie"].startswith("__Host-pynomaly_session=")
    assert "Secure" in answer.headers["set-cookie"]


def test_a_missing_field_is_a_page_with_422(visitor: httpx.Client) -> None:
    answer = visitor.post("/login", data={"email": "ada@example.org"})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
