"""Words that mean something to a database, a file system, a log or a spreadsheet mean nothing here."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rules import Who

from pynomaly.server.log import configure
from pynomaly.server.written import harmless, harmless_name
from pynomaly.settings import Settings

Send = Callable[..., Any]
WORDS = (
    "id; DROP TABLE users --",
    "id' OR '1'='1",
    'id" OR ""="',
    "(select password_hash from users)",
    "created_at desc, (case when 1=1 then 1 else 1/0 end)",
    "1; attach database '/tmp/x' as y",
    "pg_sleep(5)",
    "__class__",
    "owner_id",
    "password_hash",
    "$ne",
    "{{7*7}}",
    "${jndi:ldap://127.0.0.1/x}",
    "../../etc/passwd",
    "-",
    "",
    "\u202e",
    "\ufeffname",
)
CLOSED = ("sort", "format", "status", "kind", "fields")
TRAVERSAL = (
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%252e%252e%252fetc%252fpasswd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "file:///etc/passwd",
    "secret",
    "pynomaly.db",
    "x%00.csv",
    "..;/secret",
)


def query_routes(world: Any) -> Iterator[tuple[str, str]]:
    """Every query parameter that takes text from a closed list: sort, filters, formats, fields."""
    for path, item in world.app.openapi()["paths"].items():
        for parameter in item.get("get", {}).get("parameters", ()):
            if parameter["in"] == "query" and parameter["name"] in (
                "sort",
                "format",
                "status",
                "kind",
                "fields",
            ):
                yield path, parameter["name"]


def test_sorts_filters_and_fields_come_from_closed_lists(world: Any, send: Send) -> None:
    cell = world.cell(Who("admin"))
    found = list(query_routes(world))
    assert len(found) > 10
    for path, name in found:
        place = path.replace("{id}", cell.dataset if "/datasets" in path else cell.detector)
        place = place.replace("{name}", cell.detector)
        for word in WORDS:
            if (name == "kind" and word) or (name == "fields" and word in ("", "-", "owner_id")):
                continue
            answer = send("GET", place, params={name: word}, headers=cell.headers)
            assert answer.status_code in (404, 422), (path, name, word, answer.status_code, answer.text[:200])
            assert answer.status_code == 422 or "{" in path


def test_unknown_and_repeated_query_parameters_are_refused(world: Any, send: Send) -> None:
    headers = world.cell(Who("admin")).headers
    for path in ("/api/v1/datasets", "/api/v1/jobs", "/api/v1/admin/users", "/api/v1/auth/me"):
        for query in ("owner_id=x", "limit=1&limit=2", "__proto__=1", "Sort=name", "where=1"):
            answer = send("GET", f"{path}?{query}", headers=headers)
            assert answer.status_code == 422, (path, query)


def test_odd_ids_find_nothing(world: Any, send: Send) -> None:
    headers = world.cell(Who("admin")).headers
    for method, path in world.routes():
        if not path.startswith("/api/") or "{" not in path or method != "GET":
            continue
        for odd in TRAVERSAL:
            for name in ("{id}", "{version}", "{alias}", "{name}"):
                address = path.replace(name, odd).replace("{id}", "x").replace("{version}", "1")
                answer = send("GET", address.replace("{alias}", "a"), headers=headers)
                assert answer.status_code in (400, 404, 422), (address, answer.status_code)
                assert "root:" not in answer.text


@pytest.mark.parametrize(
    "name", [*TRAVERSAL, "a\r\nb.csv", 'a"b.csv', "a\x1b[31m.csv", "." * 300 + ".csv", "CON"]
)
def test_names_of_uploads_name_no_place(world: Any, send: Send, name: str, tmp_path: Path) -> None:
    cell = world.cell(Who("user"))
    before = {path for path in world.settings.home.parent.rglob("*") if path.is_file()}
    answer = send(
        "POST",
        "/api/v1/datasets/upload",
        headers=cell.headers,
        files={"file": (name, io.BytesIO(b"amount\n1\n2\n"))},
    )
    assert answer.status_code in (202, 400, 422), answer.text
    new = {path for path in world.settings.home.parent.rglob("*") if path.is_file()} - before
    blobs = world.settings.home / "blobs"
    roots = {path.relative_to(world.settings.home).parts[0] for path in new}
    assert roots <= {"blobs", "files", "storage", "tmp", "pynomaly.db-wal", "pynomaly.db-shm"}, (roots, blobs)
    assert all(".." not in path.parts and "passwd" not in path.name for path in new)
    if answer.status_code == 202:
        assert "/" not in answer.json()["filename"]
        assert "\\" not in answer.json()["filename"]


def test_a_link_in_the_storage_leads_nowhere(world: Any, tmp_path: Path) -> None:
    """Keys of blobs are made here; still, a key that leaves the folder is refused."""
    storage = world.app.state.storage
    for key in ("../secret", "/etc/passwd", "a/../../secret", "..", ""):
        with pytest.raises(Exception, match=r"."):
            storage.path(key).read_bytes()


def test_a_request_is_one_json_line_in_the_log(send: Send, capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings(log_level="info"))
    odd = "/api/v1/x%0d%0a%7b%22level%22:%22forged%22%7d%1b[2J%e2%80%a8%c2%85"
    try:
        send("GET", odd, headers={"User-Agent": "a\x1b[31mb", "X-Request-ID": "a\tb"})
        lines = capsys.readouterr().err.splitlines()
    finally:
        configure(Settings(log_level="error"))
    told = [json.loads(line) for line in lines if line.strip()]
    assert sum("/api/v1/x" in str(line.get("path")) for line in told) <= 1
    assert not any(line.get("level") == "forged" for line in told)
    assert "\x1b" not in "".join(lines)


FORMULAS = ("=1+1", "+1+1", "@SUM(A1)", "\tx", "\rx", "=cmd|' /C calc'!A0", "-a", "-1+1", "+cmd", "-1e5+2")
PLAIN = ("-1", "-1.5", "-1e9", "plain", "", "a=b", "-0.25", "12")


def as_csv(texts: tuple[str, ...]) -> list[str]:
    """What an export makes of cells."""
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {harmless('t')} FROM (SELECT unnest(?) AS t)", [list(texts)])
        return [str(row[0]) for row in found.fetchall()]


def test_cells_that_a_spreadsheet_would_run_are_neutralised_and_others_stay() -> None:
    assert all(cell.startswith("'") for cell in as_csv(FORMULAS)), as_csv(FORMULAS)
    assert as_csv(PLAIN) == list(PLAIN)
    assert all(harmless_name(name).startswith("'") for name in FORMULAS)
