"""Administrators' pages: accounts, audit log, settings, system; nobody else sees any."""

import re
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.db import Database
from pynomaly.server.jobs import queue

PASSWORD = "correct horse battery"
EVIL = '<script>alert("x")</script>'
PAGES = ("/admin", "/admin/users", "/admin/users/new", "/admin/audit", "/admin/settings")


def user_of(administrator: Any, email: str) -> str:
    """The address of an account's page."""
    page = administrator.see(f"/admin/users?q={email}")
    return str(re.findall(r'href="(/admin/users/[\w-]{36})"', page)[0])


@pytest.mark.any_database
def test_nobody_else_sees_any(person: Any, viewer: Any, administrator: Any) -> None:
    for address in (*PAGES, user_of(administrator, "ada")):
        for other in (person, viewer):
            page = other.see(address, 403)
            assert "Administration" not in page
        assert administrator.see(address).count('aria-current="page"') <= 2
    assert 'href="/admin"' not in person.see("/account")
    assert 'href="/admin"' in administrator.see("/account")


@pytest.mark.any_database
def test_an_account_is_made_and_its_owner_chooses_the_password(administrator: Any, url: str) -> None:
    form = {"email": "ada@example.org", "name": EVIL, "role": "viewer"}
    form["once"] = re.findall(r'name="once" value="([^"]+)"', administrator.see("/admin/users/new"))[0]
    page = administrator.send("/admin/users/new", 201, **form)
    link = re.findall(r"<code>(http[^<]+/password-reset\?token=[\w-]+)</code>", page)[0]
    page = administrator.send("/admin/users/new", 409, **form)
    assert "/password-reset?" not in page
    assert "carried out before" in page
    page = administrator.send("/admin/users/new", 409, **form | {"once": ""})
    assert "There is an account for ada@example.org already." in page
    page = administrator.send("/admin/users/new", **form | {"email": "nonsense", "once": ""})
    assert 'id="email-error"' in page
    headers = {"Origin": url, "Accept": "text/html"}
    with httpx.Client(base_url=url, headers=headers) as ada:
        token = link.partition("=")[2]
        reset = {"token": token, "password": "ada's own passphrase"}
        assert ada.post("/password-reset", data=reset).status_code == 303
        log_in = {"email": "ada@example.org", "password": "ada's own passphrase"}
        assert ada.post("/login", data=log_in).headers["location"] == "/"
        account = user_of(administrator, "ada")
        assert EVIL not in administrator.http.get(account).text
        administrator.go(account, name="Ada", role="user")
        assert "user · made" in re.sub(r"\s+", " ", administrator.see(account))
        administrator.go(f"{account}/end-sessions")
        assert ada.get("/account").status_code == 303
        administrator.go(f"{account}/block")
        assert "blocked" in administrator.see("/admin/users?state=blocked")
        assert ada.post("/login", data=log_in).status_code == 401
        administrator.go(f"{account}/unblock")
        assert ada.post("/login", data=log_in).status_code == 303


@pytest.mark.any_database
def test_a_password_link_is_shown_once(administrator: Any, person: Any) -> None:
    account = user_of(administrator, "ada")
    once = re.findall(r'name="once" value="([^"]+)"', administrator.see(account))[0]
    assert "/password-reset?token=" in administrator.send(f"{account}/password-reset", 201, once=once)
    done = administrator.go(f"{account}/password-reset", once=once)
    page = administrator.see(done)
    assert "is not shown again" in page
    assert "/password-reset?token=" not in page


@pytest.mark.any_database
def test_what_an_account_owned_goes_to_somebody(administrator: Any, person: Any, dataset: str) -> None:
    account = user_of(administrator, "ada")
    page = re.sub(r"\s+", " ", administrator.see(account))
    assert "<dt>Datasets</dt><dd>1</dd>" in page
    page = administrator.send(f"{account}/delete", 409, transfer="true", heir="")
    assert "owns things" in page
    page = administrator.send(f"{account}/delete", 422, transfer="true", heir="nobody@example.org")
    assert "no active account with this address" in page
    assert 'value="nobody@example.org"' in page
    done = administrator.go(f"{account}/delete", transfer="true", heir="ROOT@example.org")
    assert "The account is deleted." in administrator.see(done)
    assert "Shop visits" in administrator.see("/datasets")
    administrator.see(account, 404)
    last = user_of(administrator, "root")
    assert "the last active administrator" in administrator.send(f"{last}/delete", 409)
    assert "the last active administrator" in administrator.send(f"{last}/block", 409)
    assert "the last active administrator" in administrator.send(last, 409, name="", role="viewer")


@pytest.mark.any_database
def test_the_audit_log_is_filtered_and_exported(administrator: Any, person: Any) -> None:
    person.go("/account/profile", name=EVIL, email="ada@example.org")
    assert EVIL not in administrator.http.get("/admin/audit").text
    page = administrator.see("/admin/audit?who=ada@example.org&action=user")
    assert page.count('scope="row"') == 1
    assert "user.change" in page
    export = re.findall(r'href="(/api/v1/admin/audit-log/export\?[^"]+format=csv[^"]*)"', page)[0]
    assert administrator.http.get(export).text.count("user.change") == 1
    for nothing in ("who=nobody@example.org", "since=2999-01-01", "until=2001-01-01", "target=x"):
        assert "No such entries" in administrator.see(f"/admin/audit?{nothing}")
    assert 'scope="row"' in administrator.see("/admin/audit?since=2020-01-01&until=9999-12-31&kind=user")


@pytest.mark.any_database
def test_settings_show_no_secret(administrator: Any, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYNOMALY_HOME", str(app.state.settings.home))
    page = re.sub(r"\s+", " ", administrator.see("/admin/settings"))
    secret = app.state.settings.secret_key.get_secret_value()
    assert not secret or secret not in page
    assert page.count("<code>PYNOMALY_") >= len(type(app.state.settings).model_fields)
    assert "environment" in page
    assert "not set" in page


@pytest.mark.any_database
def test_the_system_page_tells_what_is(administrator: Any, person: Any, dataset: str) -> None:
    page = re.sub(r"\s+", " ", administrator.see("/admin"))
    assert "all is well" in page
    assert re.search(r"<dt>Done</dt><dd>1</dd>", page)
    assert re.search(r"<dt>Database</dt><dd>(SQLite|PostgreSQL)</dd>", page)
    answered = re.findall(r"<dt>Answered</dt><dd>(\d+)</dd>", page)[0]
    assert int(answered) > 3
    assert re.search(r"<dt>Stored files</dt><dd>[\d.]+ k?B", page)


@pytest.mark.any_database
def test_jobs_that_nobody_works_on_are_told(administrator: Any, database: Database) -> None:
    with database.session() as session:
        job = queue.enqueue(session, "detection.run", {}, owner_id=None, subject_id=None)
        job.created_at -= timedelta(minutes=2)
    page = administrator.see("/admin")
    assert "no worker is there" in page
    assert "something needs a look" in page


def test_a_copy_of_the_database(administrator: Any, database: Database, tmp_path: Path) -> None:
    if not database.is_sqlite:
        assert "pg_dump" in administrator.see("/admin")
        assert administrator.http.post("/admin/database-copy", data={"password": PASSWORD}).status_code == 422
        return
    page = administrator.send("/admin/database-copy", password="not the right one")
    assert "The present password is not right." in page
    answer = administrator.http.post("/admin/database-copy", data={"password": PASSWORD})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    copied = tmp_path / "copy.db"
    copied.write_bytes(answer.content)
    with sqlite3.connect(copied) as connection:
        assert connection.execute("SELECT email FROM users").fetchall() == [("root@example.org",)]
    connection.close()
    with database.session(write=False) as session:
        assert "database.copy" in session.scalars(select(AuditEntry.action)).all()
