"""The theme that a person chooses: kept in a cookie, before the log-in too; nobody is sent elsewhere."""

import httpx
import pytest

pytestmark = pytest.mark.any_database


def choose(client: httpx.Client, url: str, **form: str) -> httpx.Response:
    return client.post("/preferences", data=form, headers={"Origin": url, "Accept": "text/html"})


def test_it_holds_for_every_page(client: httpx.Client, url: str) -> None:
    assert "data-theme" not in client.get("/login").text
    answer = choose(client, url, theme="dark", next="/login?next=%2Fdatasets")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2Fdatasets")
    cookie = answer.headers["set-cookie"]
    assert "pynomaly_theme=dark" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert '<html lang="en" data-theme="dark">' in client.get("/login").text
    choose(client, url, theme="system")
    assert "data-theme" not in client.get("/login").text


def test_a_planted_cookie_chooses_nothing(client: httpx.Client) -> None:
    page = client.get("/login", headers={"Cookie": 'pynomaly_theme="><script>'})
    assert page.status_code == 200
    assert "data-theme" not in page.text


@pytest.mark.parametrize("form", [{"theme": "pink"}, {"language": "xx"}, {"next": "/"}, {}])
def test_what_there_is_not_is_refused(client: httpx.Client, url: str, form: dict[str, str]) -> None:
    answer = choose(client, url, **form)
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


def test_nobody_is_sent_elsewhere(client: httpx.Client, url: str) -> None:
    for away in ("https://evil.example", "//evil.example", "/\\evil.example"):
        assert choose(client, url, theme="dark", next=away).headers["location"] == "/"


def test_another_site_cannot_choose(client: httpx.Client) -> None:
    answer = client.post("/preferences", data={"theme": "dark"}, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
