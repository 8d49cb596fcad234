"""Fixtures of the page tests: a person at a browser without scripts, and a table that was read."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx
import pytest

from pynomaly.server.jobs.worker import Worker

PASSWORD = "correct horse battery"  # as tests/server/conftest.py makes accounts
SECONDS = 60


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in and looks at pages."""

    http: httpx.Client

    def see(self, address: str, status: int = 200) -> str:
        """Open a page and return its text with the markup's escapes undone."""
        return self.read(self.http.get(address), status)

    def read(self, answer: httpx.Response, status: int = 200) -> str:
        """Check a page's status and return it."""
        assert answer.status_code == status, f"{answer.status_code} {answer.text[:3000]}"
        assert answer.headers["content-type"].startswith("text/html")
        return unescape(answer.text)

    def send(self, address: str, status: int = 422, **fields: Any) -> str:
        """Send a form that is shown again."""
        return self.read(self.http.post(address, data=fields), status)

    def go(self, address: str, **fields: Any) -> str:
        """Send a form that leads to another page; return that page's address."""
        answer = self.http.post(address, data=fields)
        assert answer.status_code == 303, f"{answer.status_code} {answer.text[:3000]}"
        return answer.headers["location"]

    def upload(self, content: bytes, filename: str = "table.csv", **fields: str) -> str:
        """Upload a file; return its dataset's address."""
        answer = self.http.post("/datasets/new", data=fields, files={"file": (filename, content)})
        assert answer.status_code == 303, f"{answer.status_code} {answer.text[:3000]}"
        return answer.headers["location"]

    def until_done(self, address: str) -> str:
        """Open a page again and again until no job of it runs."""
        deadline = time.monotonic() + SECONDS
        while "data-job=" in (page := self.see(address)):
            assert time.monotonic() < deadline, page
            time.sleep(0.02)
        return page


@pytest.fixture
def person(browser: httpx.Client) -> Person:
    """An ordinary user."""
    return Person(browser)


@contextmanager
def logged_in(url: str, email: str) -> Iterator[Person]:
    """Log somebody in."""
    headers = {"Origin": url, "Accept": "text/html"}
    with httpx.Client(base_url=url, timeout=60, headers=headers) as client:
        assert client.post("/login", data={"email": email, "password": PASSWORD}).status_code == 303
        yield Person(client)


@pytest.fixture
def viewer(url: str, make_user: Any) -> Iterator[Person]:
    """Somebody who may only look."""
    make_user("eve@example.org", "viewer")
    with logged_in(url, "eve@example.org") as person:
        yield person


@pytest.fixture
def administrator(url: str, make_user: Any) -> Iterator[Person]:
    """Somebody who sees everything."""
    make_user("root@example.org", "admin")
    with logged_in(url, "root@example.org") as person:
        yield person


def table(n: int = 300) -> bytes:
    """A CSV with numbers, a category, a label, and row 100 absurd."""
    source = random.Random(3)
    lines = ["amount,age,shop,odd"]
    for row in range(n):
        odd = row == 100
        amount, age = (5000, 400) if odd else (source.gauss(50, 9), source.gauss(40, 6))
        lines.append(f"{amount:.2f},{age:.1f},{source.choice(['books', 'food', 'shoes'])},{int(odd)}")
    return "\n".join(lines).encode()


@pytest.fixture
def dataset(person: Person, worker: Worker) -> str:
    """Identifier of a table that was read, with `odd` as its label column."""
    address = person.upload(table(), name="Shop visits", label_column=" odd ")
    assert "Find anomalies" in person.until_done(address)
    return address.rsplit("/", 1)[1]
