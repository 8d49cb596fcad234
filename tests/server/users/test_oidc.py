"""Signing in with a real OpenID Connect provider process: all the way, and the lies that must not work."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from pynomaly.errors import ConfigurationError, MissingExtra
from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.db import Database
from pynomaly.server.users import attempts
from pynomaly.server.users.models import Login, User
from pynomaly.server.users.oidc import MOST_AT_ONCE
from pynomaly.server.users.sign_in import provider_of
from pynomaly.server.web.app import create_app
from pynomaly.settings import Settings

pytestmark = pytest.mark.any_database

PROVIDER = Path(__file__).with_name("oidc_provider.py")
MakeUser = Callable[..., User]
ME = "/api/v1/auth/me"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A real provider in a process of its own; gives its address."""
    command = [sys.executable, str(PROVIDER)]
    environment = {**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"}
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.communicate(timeout=20)


@pytest.fixture
def settings(settings: Settings, issuer: str, request: pytest.FixtureRequest) -> Settings:
    """Settings with the provider, and those that the test is marked as `having`."""
    values = {
        "oidc_issuer": issuer,
        "oidc_client_id": "pynomaly",
        "oidc_client_secret": "the client's own secret, which is long",
        "oidc_name": "Example Corp",
        **getattr(request.function, "settings", {}),
    }
    return Settings(**{**settings.model_dump(), **values})


def having(**values: Any) -> Callable[[Any], Any]:
    """Give a test more settings."""

    def mark(test: Any) -> Any:
        test.settings = values
        return test

    return mark


@pytest.fixture
def visitor(url: str) -> Iterator[httpx.Client]:
    """A browser that is not logged in."""
    headers = {"Origin": url, "Accept": "text/html"}
    with httpx.Client(base_url=url, timeout=30, headers=headers) as client:
        yield client


def person(issuer: str, subject: str = "ada", **claims: Any) -> str:
    """Tell the provider of a person."""
    told = {"email": f"{subject}@example.org", "email_verified": True, "name": subject.title(), **claims}
    httpx.put(f"{issuer}/users/{subject}", json=told).raise_for_status()
    return subject


def way_back(visitor: httpx.Client, subject: str, target: str = "/") -> str:
    """Begin, sign in at the provider; gives the path that it sends the browser back to."""
    begun = visitor.get("/oidc/login", params={"next": target})
    assert begun.status_code == 303, begun.text
    allowed = httpx.post(begun.headers["location"], data={"sub": subject})
    assert allowed.status_code == 302, allowed.text
    back = urlsplit(allowed.headers["location"])
    assert back.path == "/oidc/callback"
    return f"{back.path}?{back.query}"


def sign_in(visitor: httpx.Client, subject: str, target: str = "/") -> httpx.Response:
    """Go the whole way."""
    return visitor.get(way_back(visitor, subject, target))


def accounts(database: Database) -> list[User]:
    """All accounts."""
    with database.session(write=False) as session:
        return list(session.scalars(select(User).order_by(User.email)))


def refused(answer: httpx.Response, visitor: httpx.Client) -> bool:
    """Whether somebody did not get in."""
    return answer.status_code == 403 and visitor.get(ME).status_code == 401


def test_the_log_in_page_leads_to_the_provider_and_back(
    visitor: httpx.Client, issuer: str, database: Database
) -> None:
    page = visitor.get("/login?next=/datasets?a=1")
    assert 'href="/oidc/login?next=/datasets%3Fa%3D1"' in page.text
    assert "Sign in with Example Corp" in page.text
    answer = sign_in(visitor, person(issuer), "/datasets?a=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/datasets?a=1")
    me = visitor.get(ME).json()
    assert (me["email"], me["name"], me["role"]) == ("ada@example.org", "Ada", "viewer")
    assert "pynomaly_sign_in" not in visitor.cookies
    [user] = accounts(database)
    assert (user.oidc_issuer, user.oidc_subject, user.password_hash) == (issuer, "ada", "")
    with database.session(write=False) as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.at)).all()
        assert actions == ["user.create", "login.success"]
    body = {"email": "ada@example.org", "password": ""}
    assert visitor.post("/api/v1/auth/login", json=body).status_code == 401


def test_the_api_says_that_there_is_a_provider(client: httpx.Client) -> None:
    assert client.get("/api/v1/auth/oidc").json() == {
        "configured": True,
        "name": "Example Corp",
        "url": "http://127.0.0.1:8000/oidc/login",
    }


def test_what_the_provider_is_asked(visitor: httpx.Client, issuer: str) -> None:
    begun = visitor.get("/oidc/login", params={"next": "https://evil.example"})
    assert begun.headers["location"].startswith(f"{issuer}/oauth2/authorize?")
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["redirect_uri"] == ["http://127.0.0.1:8000/oidc/callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert {len(asked[name][0]) for name in ("state", "nonce", "code_challenge")} == {43}
    cookie = begun.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Max-Age=600" in cookie
    again = parse_qs(urlsplit(visitor.get("/oidc/login").headers["location"]).query)
    assert not {asked["state"][0], asked["nonce"][0]} & {again["state"][0], again["nonce"][0]}


def test_who_comes_again_is_the_same_whatever_their_address(
    visitor: httpx.Client, issuer: str, database: Database
) -> None:
    sign_in(visitor, person(issuer, "bob"))
    [before] = accounts(database)
    sign_in(visitor, person(issuer, "bob", email="robert@example.org"))
    [after] = accounts(database)
    assert (after.id, after.email) == (before.id, "bob@example.org")
    with database.session(write=False) as session:
        ended = session.scalars(select(Login.revoked_at).order_by(Login.created_at)).all()
    assert [moment is None for moment in ended] == [False, True]


LIES = [
    *("signature", "changed", "none", "symmetric", "secret", "stranger", "embedded", "garbage"),
    *(
        "issuer",
        "audience",
        "audience of our party",
        "audiences",
        "expired",
        "future",
        "nonce",
        "no nonce",
        "no expiry",
    ),
    *("no subject", "empty subject", "subject of another kind"),
]


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_no_forged_token_is_believed(visitor: httpx.Client, issuer: str, database: Database) -> None:
    person(issuer, "eve")
    for kind in LIES:
        httpx.get(f"{issuer}/lie", params={"kind": kind})
        assert refused(sign_in(visitor, "eve"), visitor), kind
    assert accounts(database) == []
    with database.session(write=False) as session:
        failed = session.scalars(select(AuditEntry).where(AuditEntry.action == "login.failed")).all()
    assert len(failed) == len(LIES)
    httpx.get(f"{issuer}/lie", params={"kind": "honest"})
    assert sign_in(visitor, "eve").status_code == 303


def test_another_state_browser_or_cookie_is_refused(
    visitor: httpx.Client, issuer: str, url: str, settings: Settings
) -> None:
    person(issuer, "cat")
    back = way_back(visitor, "cat")
    with httpx.Client(base_url=url, headers=dict(visitor.headers), timeout=30) as other:
        assert refused(other.get(back), other)  # it began nothing: log-in CSRF
        way_back(other, "cat")
        assert refused(other.get(back), other)  # it began something else
    for state in ({}, {"state": "x"}, {"state": ""}):  # the code is this browser's own and unused
        code = parse_qs(urlsplit(way_back(visitor, "cat")).query)["code"][0]
        assert refused(visitor.get("/oidc/callback", params={"code": code, **state}), visitor)
    back = way_back(visitor, "cat")
    forged = attempts.Attempt(b"a key of another installation....", "x", "/").sealed()
    visitor.cookies.set("pynomaly_sign_in", forged, domain="127.0.0.1", path="/")
    assert refused(visitor.get(back), visitor)


def test_an_answer_is_good_once_and_for_ten_minutes(
    visitor: httpx.Client, issuer: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    person(issuer, "dan")
    back = way_back(visitor, "dan")
    cookie = visitor.cookies["pynomaly_sign_in"]
    assert visitor.get(back).status_code == 303
    visitor.post("/logout")
    assert refused(visitor.get(back), visitor)  # the cookie is gone
    visitor.cookies.set("pynomaly_sign_in", cookie, domain="127.0.0.1", path="/")
    assert refused(visitor.get(back), visitor)  # the code was used
    assert attempts.opened(settings, cookie) is not None
    monkeypatch.setattr(attempts, "LIFETIME", -attempts.LIFETIME)
    assert attempts.opened(settings, attempts.begin(settings, "/").sealed()) is None


def test_a_refusal_and_a_wrong_issuer_are_told(visitor: httpx.Client, issuer: str) -> None:
    for more in ({"error": "access_denied"}, {"code": "guess"}, {}):
        begun = visitor.get("/oidc/login").headers["location"]
        state = parse_qs(urlsplit(begun).query)["state"][0]
        assert refused(visitor.get("/oidc/callback", params={"state": state, **more}), visitor)
    back = way_back(visitor, person(issuer, "fay"))
    assert refused(visitor.get(f"{back}&iss=https://evil.example"), visitor)
    back = way_back(visitor, "fay")
    assert visitor.get(f"{back}&iss={issuer}").status_code == 303


def test_an_address_alone_opens_no_account(
    visitor: httpx.Client, issuer: str, make_user: MakeUser, database: Database
) -> None:
    make_user("ada@example.org", "admin")
    assert refused(sign_in(visitor, person(issuer)), visitor)
    assert [user.oidc_subject for user in accounts(database)] == [None]


@having(oidc_link_by_email=True)
def test_a_verified_address_links_when_that_is_set(
    visitor: httpx.Client, issuer: str, make_user: MakeUser, database: Database
) -> None:
    ada = make_user("ada@example.org", "admin")
    for unverified in (False, None, "true"):
        assert refused(sign_in(visitor, person(issuer, email_verified=unverified)), visitor)
    assert sign_in(visitor, person(issuer, email="ADA@example.org")).status_code == 303
    me = visitor.get(ME).json()
    assert (me["id"], me["role"]) == (ada.id, "admin")
    visitor.post("/logout")
    another = person(issuer, "mallory", email="ada@example.org")
    assert refused(sign_in(visitor, another), visitor)  # it is linked to somebody already
    assert len(accounts(database)) == 1


@having(oidc_allow_sign_up=False)
def test_without_sign_up_nobody_is_made(visitor: httpx.Client, issuer: str, database: Database) -> None:
    assert refused(sign_in(visitor, person(issuer)), visitor)
    assert accounts(database) == []


@pytest.mark.parametrize("claims", [{"email_verified": False}, {"email": None}, {"email": "no address"}])
def test_no_account_without_a_good_address(
    visitor: httpx.Client, issuer: str, database: Database, claims: dict[str, Any]
) -> None:
    assert refused(sign_in(visitor, person(issuer, **claims)), visitor)
    assert accounts(database) == []


@having(oidc_role_map="staff=user,ops=admin", oidc_group_claim="roles", oidc_default_role="none")
def test_groups_give_the_role_at_each_sign_in(visitor: httpx.Client, issuer: str, database: Database) -> None:
    for groups, role in (
        (["staff"], "user"),
        (["ops", "staff", "x"], "admin"),
        ("staff", "user"),
    ):
        assert sign_in(visitor, person(issuer, roles=groups)).status_code == 303
        assert visitor.get(ME).json()["role"] == role
    visitor.post("/logout")
    assert refused(sign_in(visitor, person(issuer, roles=["x"])), visitor)
    with database.session(write=False) as session:
        changes = select(AuditEntry.details).where(AuditEntry.action == "user.change").order_by(AuditEntry.at)
        assert [one["role"] for one in session.scalars(changes)] == [["user", "admin"], ["admin", "user"]]


def test_a_disabled_account_stays_out(visitor: httpx.Client, issuer: str, database: Database) -> None:
    sign_in(visitor, person(issuer))
    with database.session() as session:
        session.execute(update(User).values(active=False))
    visitor.cookies.clear()
    assert refused(sign_in(visitor, person(issuer)), visitor)


@having(oidc_issuer="http://127.0.0.1:9")
def test_a_provider_that_is_away_is_told(visitor: httpx.Client) -> None:
    answer = visitor.get("/oidc/login")
    assert (answer.status_code, "cannot be reached" in answer.text) == (503, True)


@having(oidc_issuer="http://127.0.0.1:9")
def test_a_silent_provider_is_left_alone_for_a_while(
    visitor: httpx.Client, monkeypatch: pytest.MonkeyPatch, app: Any
) -> None:
    assert visitor.get("/oidc/login").status_code == 503
    asked: list[Any] = []
    monkeypatch.setattr("pynomaly.server.users.oidc.httpx.request", lambda *given, **_: asked.append(given))
    assert visitor.get("/oidc/login").status_code == 503
    assert asked == []
    for _ in range(MOST_AT_ONCE):
        app.state.provider._room.acquire()
    answer = visitor.get("/oidc/login")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_an_issuer_that_calls_itself_otherwise_is_refused(
    visitor: httpx.Client, issuer: str, app: Any
) -> None:
    document = "/.well-known/openid-configuration"
    told = httpx.get(issuer + document).json()
    provider = app.state.provider
    provider._issuer = issuer.replace("127.0.0.1", "localhost")
    provider._read[provider._issuer + document] = (float("inf"), told)
    assert visitor.get("/oidc/login").status_code == 403


def base(**values: Any) -> Settings:
    """Settings without a database."""
    return Settings(**{"oidc_issuer": "https://id.example", "oidc_client_id": "x", **values})


@pytest.mark.parametrize(
    "values",
    [
        {"oidc_client_id": ""},
        {"oidc_issuer": "http://id.example"},
        {"oidc_issuer": "http://127.0.0.1:1", "env": "prod"},
        {"oidc_issuer": "id.example"},
        {"oidc_role_map": "staff=root"},
        {"oidc_role_map": "staff"},
        {"oidc_role_map": '{"staff": "user"'},
    ],
)
def test_bad_settings_are_named(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="PYNOMALY_OIDC"):
        provider_of(base(**values))


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith(("authlib", "pynomaly.server.users.oidc"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "authlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'pynomaly-platform\[oidc\]'"):
        create_app(base(home=tmp_path))


def test_without_a_provider_there_is_no_way(tmp_path: Path) -> None:
    assert provider_of(Settings(home=tmp_path)) is None
