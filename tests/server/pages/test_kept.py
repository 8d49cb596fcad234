"""A form that comes when the session has ended: nothing typed is lost, and nothing secret is kept."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from pynomaly.server.db import Database, utc_now
from pynomaly.server.users.models import Login

pytestmark = pytest.mark.any_database

LOG_IN = {"email": "ada@example.org", "password": "correct horse battery"}
HOSTILE = '"><script>alert(1)</script>&=%+ä\n\nlast line'
FORM = {"name": HOSTILE, "algorithm": "isolation_forest", "parameter-n_trees": "33", "columns": "a\n b"}


@pytest.fixture
def expired(browser: httpx.Client, database: Database) -> httpx.Client:
    """A browser whose session was ended elsewhere."""
    with database.session() as session:
        for login in session.scalars(select(Login)):
            login.revoked_at = utc_now()
    return browser


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {unescape(name): unescape(value) for name, value in found}


def test_what_was_typed_survives_the_log_in(expired: httpx.Client) -> None:
    answer = expired.post(
        "/detectors/new", data=FORM, headers={"Referer": f"{expired.base_url}/detectors/new?a=1"}
    )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="pynomaly"'
    assert "What you typed is kept" in answer.text
    assert "<script>alert" not in answer.text
    kept = hidden(answer.text)
    answer = expired.post("/login", data=LOG_IN | {"password": "wrong"} | kept)
    assert answer.status_code == 401
    assert hidden(answer.text) == kept
    answer = expired.post("/login", data=LOG_IN | kept)
    assert answer.status_code == 200
    assert "pynomaly_session" in answer.cookies
    assert "<script>alert" not in answer.text
    assert 'href="/detectors/new?a=1"' in answer.text
    [action] = re.findall(r'<form method="post" action="([^"]+)">', answer.text)
    assert action == "/detectors/new"
    fields = hidden(answer.text)
    assert fields == FORM
    answer = expired.post(action, data=fields)
    assert answer.status_code == 422  # a name of two lines, as it would have been before
    answer = expired.post(action, data=fields | {"name": "Guard"})
    assert answer.status_code == 303
    assert "a\nb</textarea>" in expired.get(f"{answer.headers['location']}/edit").text


def test_no_password_is_kept(expired: httpx.Client) -> None:
    form = {
        "current_password": "my old passphrase",
        "new_password": "my new passphrase",
        "revoke_api_keys": "true",
    }
    answer = expired.post("/account/password", data=form)
    assert answer.status_code == 401
    assert "passphrase" not in unescape(answer.text)
    page = expired.post("/login", data=LOG_IN | hidden(answer.text)).text
    assert hidden(page) == {"revoke_api_keys": "true"}
    for name in ("current_password", "new_password"):
        assert re.search(rf'<input [^>]*name="{name}" type="password"', page)


def test_a_file_has_to_be_chosen_again(expired: httpx.Client) -> None:
    back = f"{expired.base_url}/datasets/new"
    answer = expired.post("/datasets/new", files={"file": ("a.csv", b"a\n1")}, headers={"Referer": back})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fdatasets%2Fnew")


@pytest.mark.parametrize(
    "kept",
    [
        "nonsense",
        "=%2F%2Fevil.example&=%2F&-=&a=1",
        "=https%3A%2F%2Fevil.example&=%2F&-=",
        "=%2F&=%2F&-=",
        "-=",
    ],
)
def test_a_made_up_form_is_not_offered(expired: httpx.Client, kept: str) -> None:
    answer = expired.post("/login", data=LOG_IN | {"kept": kept})
    assert (answer.status_code, answer.headers.get("location")) == (303, "/")


def test_another_site_plants_no_form(expired: httpx.Client) -> None:
    for address, form in (("/detectors/new", FORM), ("/login", LOG_IN | {"kept": "=%2Fx&=%2F&-="})):
        answer = expired.post(address, data=form, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403


def test_programs_hear_401_as_ever(expired: httpx.Client) -> None:
    answer = expired.post("/detectors/new", data=FORM, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_with_a_provider_the_form_waits_for_another_tab(app: Any, expired: httpx.Client) -> None:
    app.state.settings.oidc_issuer = "https://provider.example"
    page = expired.post("/detectors/new", data=FORM).text
    assert 'target="_blank"' in page
    own = page.partition('<form method="post" action="/detectors/new">')[2]
    assert hidden(own) == FORM
