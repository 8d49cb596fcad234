"""The pages of one's own account: profile, password, sessions, API keys."""

import re
from typing import Any

import httpx
import pytest

from pynomaly.server.users.permissions import SCOPES
from pynomaly.server.web.render import environment

pytestmark = pytest.mark.any_database

PASSWORD = "correct horse battery"
FRESH = "a fresh long passphrase"
EVIL = '<script>alert("x")</script>'


def secret_of(page: str) -> str:
    """The key that a page shows."""
    return re.findall(r"<code>(pyn_[\w-]{43})</code>", page)[0]


def once_of(page: str) -> str:
    return re.findall(r'name="once" value="([^"]+)"', page)[0]


def test_profile_and_its_errors(person: Any) -> None:
    assert "Logged in as ada@example.org" in person.see("/account")
    assert person.go("/account/profile", name=EVIL, email="ada@example.org") == "/account?done=profile"
    page = person.http.get("/account").text
    assert EVIL not in page
    assert "&lt;script&gt;" in page
    page = person.send(
        "/account/profile", name="Ada", email="other@example.org", confirm_password="wrong one"
    )
    assert "The present password is not right." in page
    assert 'value="other@example.org"' in page
    assert "wrong one" not in page
    person.go("/account/profile", name="Ada", email="other@example.org", confirm_password=PASSWORD)
    assert "Logged in as other@example.org" in person.see("/account")


def test_the_theme_can_be_chosen_on_a_form_that_is_shown_again(person: Any, url: str) -> None:
    fields = {"name": "x" * 300, "email": "ada@example.org"}
    answer = person.http.post("/account/profile", data=fields, headers={"Referer": f"{url}/account"})
    page = person.read(answer, 422)
    assert set(re.findall(r'name="next" value="([^"]*)"', page)) == {"/account"}


def test_a_new_password_needs_the_present_one_and_ends_other_sessions(person: Any, url: str) -> None:
    with httpx.Client(base_url=url, headers={"Origin": url, "Accept": "text/html"}) as other:
        other.post("/login", data={"email": "ada@example.org", "password": PASSWORD})
        fields = {"current_password": "not the right one", "new_password": FRESH}
        page = person.send("/account/password", **fields)
        assert "The present password is not right." in page
        assert 'id="current_password-error"' in page
        page = person.send("/account/password", current_password=PASSWORD, new_password="short")
        assert "The password must have 12 to 1024 characters." in page
        assert 'id="new_password-error"' in page
        assert other.get("/account").status_code == 200
        done = person.go("/account/password", current_password=PASSWORD, new_password=FRESH)
        assert "All other sessions have ended" in person.see(done)
        assert other.get("/account").headers["location"].startswith("/login")
        assert (
            other.post("/login", data={"email": "ada@example.org", "password": PASSWORD}).status_code == 401
        )


def test_sessions_are_told_apart_and_ended(person: Any, url: str) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    headers = {"Origin": url, "Accept": "text/html", "User-Agent": agent}
    with httpx.Client(base_url=url, headers=headers) as other:
        other.post("/login", data={"email": "ada@example.org", "password": PASSWORD})
        page = person.see("/account")
        assert page.count("this session") == 1
        assert "Firefox, Linux" in page
        end = re.findall(r"/account/sessions/[\w-]+/end(?=\")", page)
        assert len(end) == 1
        person.go(end[0])
        assert other.get("/account").status_code == 303
        other.post("/login", data={"email": "ada@example.org", "password": PASSWORD})
        person.go("/account/sessions/end-others")
        assert other.get("/account").status_code == 303
    assert person.see("/account").count("/account/sessions/") == 0


def test_a_key_is_shown_once_and_made_once(person: Any, url: str) -> None:
    fields = {"name": "nightly", "days": "30", "scope": ["datasets:read"]}
    fields["once"] = once_of(person.see("/account/keys/new"))
    answer = person.http.post("/account/keys/new", data=fields)
    page = person.read(answer, 201)
    assert answer.headers["cache-control"] == "no-store"
    key = secret_of(page)
    assert f'curl -H "X-API-Key: {key}"' in page
    program = {"X-API-Key": key}
    assert httpx.get(f"{url}/api/v1/datasets", headers=program).status_code == 200
    assert httpx.get(f"{url}/api/v1/jobs", headers=program).status_code == 403
    page = person.send("/account/keys/new", 409, **fields)  # the page is loaded anew
    assert "carried out before" in page
    assert key not in page
    page = person.see("/account")
    assert page.count("<code>pyn_") == 1
    assert key not in page


def test_a_wrong_form_of_a_key_keeps_what_was_typed(person: Any) -> None:
    page = person.send("/account/keys/new", name="nightly", days="365")
    assert "Choose at least one scope" in page
    assert 'value="nightly"' in page
    assert '<option value="365" selected>' in page
    page = person.send("/account/keys/new", name=" ", scope=["jobs:read"])
    assert 'id="name-error"' in page
    assert 'value="jobs:read" checked' in page
    assert 'value="datasets:read" checked' not in page
    page = person.send("/account/keys/new", name="x", scope=["users:write"])
    assert "cannot give a key the scope" in page


def test_a_key_is_replaced_and_revoked(person: Any, url: str) -> None:
    old = secret_of(person.send("/account/keys/new", 201, name=EVIL, scope=["jobs:read"]))
    rotate = re.findall(r"/account/keys/[\w-]+/rotate", person.see("/account"))[0]
    page = person.see(rotate)
    fields = {"overlap": "60", "once": once_of(page)}
    fresh = secret_of(person.send(rotate, 201, **fields))
    for key in (old, fresh):
        assert httpx.get(f"{url}/api/v1/jobs", headers={"X-API-Key": key}).status_code == 200
    assert "carried out before" in person.send(rotate, 409, **fields)
    for address in re.findall(r"/account/keys/[\w-]+/revoke", person.see("/account")):
        person.go(address)
    for key in (old, fresh):
        assert httpx.get(f"{url}/api/v1/jobs", headers={"X-API-Key": key}).status_code == 401
    assert EVIL not in person.http.get("/account").text
    assert "2 keys that have ended" in person.see("/account")


def test_a_viewer_keeps_an_account_of_their_own(viewer: Any) -> None:
    assert viewer.go("/account/profile", name="Eve", email="eve@example.org") == "/account?done=profile"
    page = viewer.see("/account/keys/new")
    assert 'value="datasets:read"' in page
    assert 'value="datasets:write"' not in page


def test_who_signs_in_elsewhere_is_told_so(person: Any, database: Any) -> None:
    from pynomaly.server.users.models import User

    with database.session() as session:
        session.query(User).one().password_hash = ""
    page = person.see("/account")
    assert "signs in with an identity provider and has no password here" in page
    assert 'name="new_password"' not in page
    assert person.go("/account/profile", name="Ada L.") == "/account?done=profile"
    assert 'value="Ada L."' in person.see("/account")


def test_every_scope_has_a_meaning() -> None:
    macro = environment().get_template("parts/roles.html").module.permission
    assert all(macro(scope) for scope in SCOPES)
