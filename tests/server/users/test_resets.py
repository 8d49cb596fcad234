"""A forgotten password: a link that works once, by an administrator or mail; nobody learns who is here."""

import re
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from statistics import median

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from pynomaly.errors import ConfigurationError
from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.db import Database, utc_now
from pynomaly.server.mail import WAITING, Mail
from pynomaly.server.users.models import OneTimeLink, User
from pynomaly.settings import Settings

PASSWORD = "correct horse battery"
NEW = "another horse battery"
LogIn = Callable[..., httpx.Client]
MakeUser = Callable[..., User]
AUTH = "/api/v1/auth"
SERVER = Path(__file__).with_name("smtp_server.py")


@pytest.fixture
def admin(log_in: LogIn) -> httpx.Client:
    """An administrator's client."""
    return log_in("root@example.org", "admin")


@pytest.fixture
def letters(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """A real mail server process; gives its address and the folder where it leaves what it receives."""
    folder = tmp_path / "letters"
    folder.mkdir()
    command = [sys.executable, str(SERVER), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"smtp://127.0.0.1:{int(process.stdout.readline())}", folder
        process.communicate(timeout=20)


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """Settings, with the mail server when the test has one."""
    if "letters" not in request.fixturenames:
        return settings
    url, _ = request.getfixturevalue("letters")
    values = {"smtp_url": url, "smtp_from": "pynomaly@example.org", "base_url": "https://pynomaly.example"}
    return Settings(**{**settings.model_dump(), **values})


def token_of(url: str) -> str:
    """The token in a link."""
    return url.partition("?token=")[2]


def can_log_in(url: str, password: str) -> bool:
    """Whether Ada gets in."""
    body = {"email": "ada@example.org", "password": password}
    return httpx.post(f"{url}{AUTH}/login", json=body, timeout=30).status_code == 200


def received(folder: Path, count: int) -> list[EmailMessage]:
    """Wait for so many letters."""
    deadline = time.monotonic() + 20
    while len(list(folder.glob("*.eml"))) < count:
        assert time.monotonic() < deadline, "no letter came"
        time.sleep(0.02)
    letters = [path.read_bytes() for path in sorted(folder.glob("*.eml"))]
    return [BytesParser(EmailMessage, policy=default).parsebytes(letter) for letter in letters]


def test_an_administrators_link_works_once(
    admin: httpx.Client, api: httpx.Client, client: httpx.Client, url: str, database: Database
) -> None:
    ada = api.get(f"{AUTH}/me").json()["id"]
    path = f"/api/v1/admin/users/{ada}/password-reset"
    first, second = (admin.post(path).json()["url"] for _ in range(2))
    assert second.startswith("http://127.0.0.1:8000/password-reset?token=")
    old = client.post(f"{AUTH}/password-reset", json={"token": token_of(first), "new_password": NEW})
    assert (old.status_code, old.json()["code"]) == (403, "bad_reset_link")
    body = {"token": token_of(second), "new_password": "short"}
    assert client.post(f"{AUTH}/password-reset", json=body).status_code == 422
    body["new_password"] = NEW
    assert client.post(f"{AUTH}/password-reset", json=body).status_code == 204
    assert client.post(f"{AUTH}/password-reset", json=body).status_code == 403
    assert api.get(f"{AUTH}/me").status_code == 401
    assert (can_log_in(url, PASSWORD), can_log_in(url, NEW)) == (False, True)
    with database.session(write=False) as session:
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.at)).all()
    assert actions.count("password.link") == 2
    assert actions.count("password.reset") == 1


def test_a_link_ends_with_time_with_its_account_and_with_a_new_password(
    admin: httpx.Client, api: httpx.Client, client: httpx.Client, database: Database
) -> None:
    ada = api.get(f"{AUTH}/me").json()["id"]

    def works(spoil: Callable[[], object]) -> bool:
        link = admin.post(f"/api/v1/admin/users/{ada}/password-reset").json()["url"]
        spoil()
        page = client.get(link.replace("http://127.0.0.1:8000", "")).status_code
        body = {"token": token_of(link), "new_password": NEW}
        answer = client.post(f"{AUTH}/password-reset", json=body).status_code
        assert (page, answer) in ((200, 204), (403, 403))
        return answer == 204

    def expire() -> None:
        with database.session() as session:
            session.execute(update(OneTimeLink).values(expires_at=utc_now() - timedelta(seconds=1)))

    def change() -> None:
        body = {"current_password": PASSWORD, "new_password": "a third horse battery"}
        assert api.post(f"{AUTH}/password", json=body).status_code == 204

    def disable() -> None:
        with database.session() as session:
            session.execute(update(User).where(User.id == ada).values(active=False))

    assert not works(expire)
    assert not works(change)
    assert not works(disable)
    assert admin.post(f"/api/v1/admin/users/{ada}/password-reset").status_code == 409
    admin.patch(f"/api/v1/admin/users/{ada}", json={"active": True})
    assert works(lambda: None)


def test_of_two_uses_at_once_one_counts(
    admin: httpx.Client, url: str, make_user: MakeUser, database: Database
) -> None:
    ada = make_user()
    link = admin.post(f"/api/v1/admin/users/{ada.id}/password-reset").json()["url"]
    answers: list[int] = []

    def use(number: int) -> None:
        body = {"token": token_of(link), "new_password": f"password number {number}"}
        answers.append(httpx.post(f"{url}{AUTH}/password-reset", json=body, timeout=30).status_code)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [204, 403, 403, 403]


def test_the_page_needs_no_javascript(admin: httpx.Client, url: str, make_user: MakeUser) -> None:
    ada = make_user()
    link = admin.post(f"/api/v1/admin/users/{ada.id}/password-reset").json()["url"]
    path = link.replace("http://127.0.0.1:8000", "")
    with httpx.Client(base_url=url, headers={"Origin": url, "Accept": "text/html"}, timeout=30) as visitor:
        page = visitor.get(path)
        assert page.status_code == 200
        assert "<script" not in page.text.partition("<body")[2]
        assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("same-origin", "no-store")
        assert '<form method="post" action="/password-reset">' in page.text
        form = {"token": token_of(link), "password": "short"}
        again = visitor.post("/password-reset", data=form)
        assert (again.status_code, "12 to 1024 characters" in again.text) == (422, True)
        form["password"] = NEW
        cross = httpx.post(f"{url}/password-reset", data=form, headers={"Origin": "https://evil.example"})
        assert cross.status_code == 403
        done = visitor.post("/password-reset", data=form)
        assert (done.status_code, done.headers["location"]) == (303, "/login?reset=1")
        assert "new password" in visitor.get("/login?reset=1").text
        gone = visitor.post("/password-reset", data=form)
        assert (gone.status_code, "unknown, used or expired" in gone.text) == (403, True)
    assert can_log_in(url, NEW)


def test_tokens_cannot_be_guessed_for_ever(client: httpx.Client) -> None:
    for number in range(51):
        body = {"token": f"guess {number}", "new_password": NEW}
        answer = client.post(f"{AUTH}/password-reset", json=body)
    assert answer.status_code == 429


def ask(client: httpx.Client, email: str) -> httpx.Response:
    """Say that a password is forgotten."""
    return client.post(f"{AUTH}/password-reset/request", json={"email": email}, headers={"X-Request-ID": "x"})


def test_a_link_comes_by_mail(
    client: httpx.Client, url: str, make_user: MakeUser, letters: tuple[str, Path]
) -> None:
    make_user()
    ask(client, "nobody@example.org")
    assert ask(client, " Ada@example.org").status_code == 202
    [letter] = received(letters[1], 1)
    assert (letter["To"], letter["From"]) == ("ada@example.org", "pynomaly@example.org")
    found = re.search(r"https://pynomaly\.example/password-reset\?token=(\S+)", letter.get_content())
    assert found is not None
    body = {"token": found[1], "new_password": NEW}
    assert client.post(f"{AUTH}/password-reset", json=body).status_code == 204
    assert can_log_in(url, NEW)


def test_the_answer_is_the_same_with_and_without_account_and_mail(
    client: httpx.Client, make_user: MakeUser, database: Database
) -> None:
    make_user()
    answers = [ask(client, email) for email in ("ada@example.org", "nobody@example.org", "no address")]
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.content for answer in answers} == {b""}
    with database.session(write=False) as session:
        assert session.scalars(select(OneTimeLink)).all() == []


def test_the_answer_takes_as_long_whoever_is_asked_for(
    client: httpx.Client, make_user: MakeUser, letters: tuple[str, Path]
) -> None:
    """The mail server sleeps for a second before it takes a letter: nobody must wait for it."""
    make_user()
    (letters[1] / "slow").touch()
    times: dict[str, list[float]] = {"ada@example.org": [], "nobody@example.org": []}
    for _ in range(4):
        for email, taken in times.items():
            start = time.perf_counter()
            assert ask(client, email).status_code == 202
            taken.append(time.perf_counter() - start)
    assert max(median(taken) for taken in times.values()) < 0.5


def test_nobodys_letter_box_is_flooded(client: httpx.Client, make_user: MakeUser) -> None:
    make_user()
    for email in ("ada@example.org", "nobody@example.org"):
        assert [ask(client, email).status_code for _ in range(6)] == [202] * 5 + [429]
    for number in range(20):
        answer = ask(client, f"user{number}@example.org")
    assert answer.status_code == 429
    assert can_log_in(str(client.base_url).rstrip("/"), PASSWORD)


def test_a_mail_server_that_is_away_is_no_error_for_who_asks(
    client: httpx.Client, app: FastAPI, make_user: MakeUser
) -> None:
    make_user()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    app.state.mail = Mail(Settings(smtp_url=f"smtp://127.0.0.1:{port}", smtp_from="a@b"))
    assert ask(client, "ada@example.org").status_code == 202
    app.state.mail.close()


def test_a_password_is_not_sent_without_tls(letters: tuple[str, Path]) -> None:
    url = letters[0].replace("smtp://", "smtp://user:canary@")
    with pytest.raises(smtplib.SMTPNotSupportedError):
        Mail(Settings(smtp_url=url, smtp_from="a@b")).send("ada@example.org", "subject", "text")


def test_more_mail_than_there_is_room_for_is_dropped() -> None:
    mail, go = Mail(Settings()), threading.Event()
    done: list[bool] = []
    for _ in range(WAITING + 5):
        mail.later(lambda: done.append(go.wait(20)))
    go.set()
    deadline = time.monotonic() + 20
    while len(done) < WAITING and time.monotonic() < deadline:
        time.sleep(0.01)
    mail.close()
    assert done == [True] * WAITING


@pytest.mark.parametrize(
    "values",
    [
        {"smtp_url": "smtp://host:25"},
        {"smtp_url": "smtp://host:25", "smtp_from": "nobody"},
        {"smtp_url": "https://user:canary@host", "smtp_from": "a@b"},
        {"smtp_url": "smtp://user:canary@host:x", "smtp_from": "a@b"},
        {"smtp_url": "smtp://", "smtp_from": "a@b"},
    ],
)
def test_bad_mail_settings_are_named(values: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="PYNOMALY_SMTP") as caught:
        Mail(Settings(**values))
    assert "canary" not in str(caught.value)
