"""The audit log is read by administrators, filtered, exported whole and safely, kept as long as was said."""

import csv
import io
import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from pynomaly.server.admin import audit_log
from pynomaly.server.admin.models import AuditEntry
from pynomaly.server.audit import record
from pynomaly.server.db import Database, utc_now
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.worker import Worker
from pynomaly.server.tasks import SWEEPS
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

LogIn = Callable[..., httpx.Client]
MakeUser = Callable[..., User]
LOG = "/api/v1/admin/audit-log"


@pytest.fixture
def admin(log_in: LogIn) -> httpx.Client:
    """An administrator's client."""
    return log_in("root@example.org", "admin")


def write(database: Database, *names: str) -> None:
    """Write entries about targets with these names, each at another moment."""
    with database.session() as session:
        for number, name in enumerate(names):
            target = User(id=f"00000000-0000-0000-0000-{number:012}", email=name)
            record(session, None, "thing.act", target, number=number)
            session.flush()


def actions(database: Database) -> list[str]:
    """What was written down."""
    with database.session(write=False) as session:
        return list(session.scalars(select(AuditEntry.action)))


def test_it_is_filtered_sorted_and_paged(admin: httpx.Client, api: httpx.Client, database: Database) -> None:
    write(database, "one", "two", "three")
    middle = utc_now().isoformat()
    write(database, "four")
    root = admin.get("/api/v1/auth/me").json()["id"]

    def names(**query: object) -> list[str]:
        answer = admin.get(LOG, params={"action": "thing.act", "sort": "at", **query})
        assert answer.status_code == 200, answer.text
        return [one["target_name"] for one in answer.json()["items"]]

    assert names() == ["one", "two", "three", "four"]
    assert names(sort="-at") == ["four", "three", "two", "one"]
    assert names(since=middle) == ["four"]
    assert names(until=middle) == ["one", "two", "three"]
    assert names(target_id="00000000-0000-0000-0000-000000000001") == ["two"]
    assert names(target_kind="user", action="thing") == names()
    assert names(action="thin") == []
    assert names(target_kind="dataset") == []
    assert names(actor_id=root) == []
    first = admin.get(LOG, params={"action": "thing", "limit": 3, "sort": "at"}).json()
    assert names(action="thing", limit=3, cursor=first["next_cursor"]) == ["four"]
    by_root = admin.get(LOG, params={"actor_id": root}).json()["items"]
    assert [one["action"] for one in by_root] == ["login.success"]
    for wrong in ({"sort": "action"}, {"since": "yesterday"}, {"since": "2026-01-01T00:00:00"}, {"q": "x"}):
        assert admin.get(LOG, params=wrong).status_code == 422, wrong


def test_the_csv_export_cannot_run_as_formulas(admin: httpx.Client, database: Database) -> None:
    nasty = ["=cmd|'/c calc'!A1", "+1", "-1", "@x", "\tx", "\rx", 'quo"te,comma', "line\nbreak"]
    write(database, *nasty)
    answer = admin.get(f"{LOG}/export", params={"format": "csv", "action": "thing"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-log.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [row["target_name"] for row in rows] == [*(f"'{name}" for name in nasty[:6]), *nasty[6:]]
    assert list(rows[0]) == list(audit_log.COLUMNS)
    assert [json.loads(row["details"])["number"] for row in rows] == list(range(8))


def test_the_export_is_whole_in_order_and_itself_written_down(
    admin: httpx.Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "CHUNK", 3)
    write(database, *(f"name {number}" for number in range(10)))
    with database.session() as session:  # at one moment: the id decides
        session.execute(update(AuditEntry).where(AuditEntry.action == "thing.act").values(at=utc_now()))
    answer = admin.get(f"{LOG}/export", params={"format": "ndjson"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert sorted(one["target_name"] for one in lines if one["action"] == "thing.act") == [
        f"name {number}" for number in range(10)
    ]
    assert lines[-1]["action"] == "audit.export"
    assert lines[-1]["details"] == {"format": "ndjson", "filter": {}}
    assert set(lines[0]) == set(audit_log.COLUMNS)
    assert len({one["id"] for one in lines}) == len(lines)


def test_only_administrators_read_it(api: httpx.Client, log_in: LogIn, client: httpx.Client) -> None:
    for someone, status in ((api, 403), (log_in("vera@example.org", "viewer"), 403), (client, 401)):
        for path in (LOG, f"{LOG}/export"):
            assert someone.get(path).status_code == status
        assert someone.delete(LOG).status_code == 405


def test_old_entries_go_only_when_that_is_set(database: Database) -> None:
    write(database, "old", "new")
    with database.session() as session:
        old = AuditEntry.target_name == "old"
        session.execute(update(AuditEntry).where(old).values(at=utc_now() - timedelta(days=31)))
        assert audit_log.sweep(session, Settings()) == 0
        assert audit_log.sweep(session, Settings(audit_log_days=40)) == 0
        assert audit_log.sweep(session, Settings(audit_log_days=30)) == 1
    with database.session(write=False) as session:
        left = session.execute(select(AuditEntry.action, AuditEntry.target_name)).all()
    assert set(left) == {("thing.act", "new"), ("audit.sweep", None)}


def test_the_worker_sweeps_it(settings: Settings, database: Database, warm_process: Forkserver) -> None:
    write(database, "old")
    with database.session() as session:
        session.execute(update(AuditEntry).values(at=utc_now() - timedelta(days=31)))
    kept_a_month = settings.model_copy(update={"audit_log_days": 30})
    worker = Worker(kept_a_month, {}, warm_process, slots=0, sweeps=SWEEPS)
    thread = threading.Thread(target=worker.run)
    thread.start()
    deadline = time.monotonic() + 20
    while actions(database) != ["audit.sweep"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.stop()
    thread.join(20)


def test_what_is_written_and_what_is_undone_stand_and_fall_together(database: Database) -> None:
    session = database.open_session()
    record(session, None, "thing.act")
    session.flush()
    session.rollback()
    session.close()
    assert actions(database) == []
