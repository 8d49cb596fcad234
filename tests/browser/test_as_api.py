"""What each page shows "as API call" works: the curl line asks for something real, the Python runs."""

import html
import re
import shlex
from typing import Any

import httpx
import pytest

from pynomaly.client import Client
from pynomaly.server.users.permissions import SCOPES

pytestmark = pytest.mark.browser
NO_CALL = {"not-found"}
READS = "GET"


@pytest.fixture(scope="module")
def pages(server: Any, stops: dict[str, str]) -> dict[str, str]:
    """The HTML of every page."""
    headers = {"Accept": "text/html", "Origin": server.url}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60, follow_redirects=True) as client:
        form = {"email": server.email, "password": server.password}
        assert client.post("/login", data=form).is_success
        answers = {name: client.get(to) for name, to in stops.items() if name not in NO_CALL}
        assert {name: answer.status_code for name, answer in answers.items() if not answer.is_success} == {}
        return {name: answer.text for name, answer in answers.items()}


@pytest.fixture(scope="module")
def client(server: Any) -> Any:
    with Client(server.url, email=server.email, password=server.password) as client:
        yield client


def calls(page: str) -> list[list[str]]:
    """The curl lines of a page, as words."""
    found = re.findall(r"<code>(curl .*?)</code>", page, flags=re.S)
    return [shlex.split(html.unescape(line)) for line in found]


def test_every_page_has_one(pages: dict[str, str]) -> None:
    assert [name for name, page in pages.items() if not calls(page)] == []


def test_the_curl_lines_ask_for_what_there_is(server: Any, pages: dict[str, str], client: Client) -> None:
    with httpx.Client(timeout=60) as http:
        described = http.get(f"{server.url}/api/v1/openapi.json").json()["paths"]
        key = client.api_keys.create("as API call", SCOPES).key
        asked = {tuple(words) for page in pages.values() for words in calls(page)}
        for words in sorted(asked):
            method = (
                words[words.index("-X") + 1]
                if "-X" in words
                else "POST"
                if {"-d", "-F"} & {*words}
                else READS
            )
            path = words[-1].removeprefix(server.url).partition("?")[0]
            known = [one for one in described if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path)]
            assert any(method.lower() in described[one] for one in known), words
            if method == READS:
                answer = http.get(words[-1], headers={"X-API-Key": key})
                assert answer.status_code == 200, (words, answer.text)


def test_the_python_runs(pages: dict[str, str], client: Client) -> None:
    for name, page in pages.items():
        programs = re.findall(r"<code>(from pynomaly.client.*?)</code>", page, flags=re.S)
        assert len(programs) == 1, name
        lines = html.unescape(programs[0]).splitlines()
        compile("\n".join(lines), name, "exec")
        if all("-X" not in words and not {"-d", "-F", "-o"} & {*words} for words in calls(page)):
            exec("\n".join(line for line in lines if not line.startswith("client = ")), {"client": client})
