"""The verbs over the REST API, against a real server: what they print, ask, refuse, and exit with."""

import csv
import io
import json
import os
import pty
import random
import subprocess
import sys

import pytest

from pynomaly.cli import tables
from pynomaly.cli.main import main
from pynomaly.client import Client


@pytest.fixture(scope="module")
def key(served):
    """An API key of an ordinary user that may do all that a key may."""
    served.account("cleo@example.org")
    with Client(served.url, email="cleo@example.org", password=served.password) as client:
        scopes = [name for name in client.me().permissions if name != "account:write"]
        yield client.api_keys.create("verbs", scopes).key


@pytest.fixture
def run(served, key, capsys, monkeypatch):
    """Run a verb: exit code, standard output, standard error."""
    monkeypatch.setenv("PYNOMALY_SERVER", served.url)
    monkeypatch.setenv("PYNOMALY_API_KEY", key)

    def verb(*arguments, expect=0):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        assert code == expect, captured
        return captured.out, captured.err

    return verb


@pytest.fixture
def run_json(run):
    """Run a verb with --json: what it prints."""

    def verb(*arguments):
        out, err = run(*arguments, "--json")
        assert err == ""  # no note, no bar: standard error is a pipe
        return json.loads(out)

    return verb


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A CSV of 200 rows; row 7 is absurd."""
    source = random.Random(3)
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b"])
        writer.writerows([source.gauss(0, 1) + 90 * (row == 7), source.gauss(5, 2)] for row in range(200))
    return path


@pytest.fixture(scope="module")
def dataset(served, key, table):
    """The table, uploaded; its identifier."""
    with Client(served.url, api_key=key) as client:
        return client.datasets.upload(table, name="Verbs").id


def test_from_a_file_to_scores(run, run_json, table, tmp_path):
    dataset = run_json("dataset", "upload", table, "--name", "Round")
    assert (dataset["status"], dataset["n_rows"], dataset["name"]) == ("ready", 200, "Round")
    detector = run_json("detector", "create", "Odd", "--algorithm", "hbos", "--param", "n_bins=12")
    assert detector["parameters"]["n_bins"] == 12
    assert run_json("detector", "train", detector["id"], dataset["id"])["status"] == "trained"
    result = run_json("detection", "run", dataset["id"], "--detector", detector["id"], "--max-alerts", 1)
    assert (result["status"], result["n_anomalies"]) == ("completed", 1)
    [row] = run_json("detection", "rows", result["id"], "--limit", 1)
    assert row["row"] == 7
    scored = io.StringIO('{"a": 90, "b": 5}\n{"a": 0, "b": 5}\n')
    sys.stdin, before = scored, sys.stdin
    try:
        scores = run_json("detection", "score", detector["id"])
    finally:
        sys.stdin = before
    assert scores[0]["score"] > scores[1]["score"]
    run("detection", "export", result["id"], "-o", tmp_path / "out.json")
    assert len(json.loads((tmp_path / "out.json").read_text())) == 200


def test_tables_for_people(run, dataset):
    out, _ = run("dataset", "list")
    titles, *lines = out.splitlines()
    assert titles.split() == ["id", "name", "status", "rows", "columns", "bytes", "made"]
    assert any(dataset in line and "Verbs" in line for line in lines)
    out, _ = run("dataset", "show", dataset)
    assert "n rows" in out
    out, _ = run("dataset", "columns", dataset)
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["a", "number"], ["b", "number"]]
    out, _ = run("dataset", "rows", dataset, "--limit", 2)
    assert len(out.splitlines()) == 3
    out, _ = run("job", "list", "--status", "cancelled")
    assert out == "none\n"


def test_versions_of_a_detector(run, run_json, dataset, tmp_path):
    detector = run_json("detector", "create", "Versions", "--algorithm", "hbos")["id"]
    for _ in range(2):
        run("detector", "train", detector, dataset)
    assert [one["version"] for one in run_json("detector", "versions", detector)] == [2, 1]
    assert run_json("detector", "activate", detector, 1)["model"]["version"] == 1
    assert run_json("detector", "rollback", detector)["model"]["version"] == 2
    assert run_json("detector", "alias", detector, "staging", 1)["version"] == 1
    assert run_json("detector", "compare", detector, "staging", 2)["after"]["version"] == 2
    assert run("detector", "compare", detector, 1, 2)[0]
    assert run_json("detector", "threshold", detector, "--max-alerts", 4)["max_alerts"] == 4
    run("detector", "export", detector, "-o", tmp_path / "m.pynomaly", "--version", "staging")
    copy = run_json("detector", "import", tmp_path / "m.pynomaly", "--name", "Copy")
    assert run_json("detector", "rename", copy["id"], "Renamed")["name"] == "Renamed"
    assert run_json("detector", "list", "--name", "Renamed")[0]["id"] == copy["id"]
    assert "hbos" in run("detector", "show", copy["id"])[0]
    run("detector", "delete", copy["id"], detector, "--yes")


def test_results_are_compared_listed_and_made_many_at_once(run, run_json, dataset):
    made = [
        run_json("detection", "run", dataset, "-a", name, "--max-alerts", 1)["id"]
        for name in ("hbos", "ecod")
    ]
    assert len(run_json("detection", "compare", *made)["results"]) == 2
    assert "rank correlation" in run("detection", "compare", *made)[0]
    detector = run_json("detector", "create", "Batch", "--algorithm", "hbos")["id"]
    run("detector", "train", detector, dataset)
    [item] = run_json("detection", "batch", "--dataset", dataset, "--detector", detector)
    assert "completed" in run("detection", "show", item["id"])[0]
    assert item["id"] in [one["id"] for one in run_json("detection", "list", "--limit", 5)]


def test_results_are_judged_named_and_deleted(run, run_json, dataset):
    result = run_json("detection", "run", dataset, "-a", "hbos")["id"]
    run("detection", "feedback", result, "normal", 3, 4, "--note", "known")
    assert [(one["row"], one["note"]) for one in run_json("detection", "verdicts", result)] == [
        (3, "known"),
        (4, "known"),
    ]
    assert run_json("detection", "update", result, "--name", "March")["name"] == "March"
    run("detection", "update", result, expect=2)
    run("detection", "delete", result, "--yes")
    run("detection", "show", result, expect=1)


def test_datasets_are_changed_judged_shared_and_downloaded(run, run_json, served, dataset, table, tmp_path):
    assert run_json("dataset", "update", dataset, "--description", "Of verbs")["description"] == "Of verbs"
    assert run_json("dataset", "quality", dataset)["n_rows"] == 200
    run("dataset", "quality", dataset)
    run("dataset", "download", dataset, "-o", tmp_path / "copy.csv")
    assert (tmp_path / "copy.csv").read_bytes() == table.read_bytes()
    served.account("gus@example.org")
    share = run_json("dataset", "share", dataset, "--with", "gus@example.org", "--access", "use")
    assert run_json("dataset", "shares", dataset) == [share]
    run("dataset", "unshare", dataset, "--user-id", share["user_id"])
    assert run_json("dataset", "shares", dataset) == []


def test_jobs_are_followed(run, run_json, dataset):
    result = run_json("detection", "run", dataset, "--algorithm", "hbos", "--no-wait")
    assert run_json("job", "wait", result["job_id"])["status"] == "completed"
    assert run_json("job", "show", result["job_id"])["kind"] == "detection.run"
    assert result["job_id"] in [job["id"] for job in run_json("job", "list", "--kind", "detection.run")]
    assert run_json("job", "cancel", result["job_id"])["status"] == "completed"


def test_failures_are_one_line_and_an_exit_code(run, served, table, tmp_path, monkeypatch):
    empty = tmp_path / "empty.csv"
    empty.write_text("a,b\n")
    tries = [
        (["dataset", "show", "nothing"], 1, "There is no dataset with this id"),
        (["dataset", "upload", empty], 3, "no rows"),
        (["dataset", "upload", tmp_path / "none.csv"], 3, "Cannot read"),
        (["dataset", "upload", table, "--type", "a"], 2, "COLUMN=TYPE"),
        (["dataset", "update", "x"], 2, "--name"),
        (["detector", "create", "x", "--algorithm", "nothing"], 3, "nothing"),
        (["detector", "threshold", "x"], 2, "--score"),
        (["detector", "share", "x"], 2, "--everyone"),
        (["detector", "unshare", "x"], 2, "--everyone"),
        (["dataset", "list", "--server", "ftp://x"], 2, "http"),
        (["dataset", "list", "--api-key", "pyn_no"], 1, "API key"),
        (["apikey", "create", "x", "--scope", "datasets:read"], 1, "scope"),
        (["user", "list"], 1, "users:read"),
        (["user", "update", "x"], 2, "--role"),
        (["user", "list", "--login", "root@example.org"], 2, "--login-password-file"),
    ]
    for arguments, code, says in tries:
        _, err = run(*arguments, expect=code)
        assert says in err
        assert err.startswith("pynomaly: error: ")
        assert err.count("\n") == 1


def test_without_a_terminal_deleting_needs_yes(run, run_json, table):
    dataset = run_json("dataset", "upload", table)["id"]
    _, err = run("dataset", "delete", dataset, expect=2)
    assert "--yes" in err
    run("dataset", "delete", dataset, "--yes")
    run("dataset", "show", dataset, expect=1)


@pytest.mark.parametrize(("typed", "code"), [(b"n\n", 130), (b"y\n", 1)])
def test_at_a_terminal_deleting_asks(run, served, key, typed, code):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pynomaly", "dataset", "delete", "nothing"]
    environment = os.environ | {"PYNOMALY_SERVER": served.url, "PYNOMALY_API_KEY": key}
    process = subprocess.Popen(
        command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    )
    os.close(theirs)
    os.write(ours, typed)
    _, err = process.communicate(timeout=60)
    os.close(ours)
    assert process.returncode == code, err
    assert b"Delete 1 dataset(s): nothing?" in err


def test_accounts_and_keys_as_somebody_who_logs_in(run, run_json, served, tmp_path, monkeypatch):
    served.account("chief@example.org", "admin")
    file, new = tmp_path / "password", tmp_path / "new"
    file.write_text(served.password + "\n")
    new.write_text("another long password\n")
    who = ["--login", "chief@example.org", "--login-password-file", file]
    user = run_json("user", "create", "dora@example.org", "--password-file", new, "--role", "viewer", *who)
    assert (user["email"], user["role"]) == ("dora@example.org", "viewer")
    assert run_json("user", "list", "--search", "dora@", *who) == [user]
    assert run_json("user", "update", user["id"], "--role", "user", *who)["role"] == "user"
    assert "/" in run_json("user", "reset-password", user["id"], *who)["url"]
    assert run_json("user", "update", user["id"], "--no-active", *who)["active"] is False
    assert run_json("user", "show", user["id"], *who)["name"] == ""
    run("user", "delete", user["id"], "--yes", *who)
    key = run_json("apikey", "create", "mine", "--scope", "datasets:read,jobs:read", "--days", 3, *who)
    assert key["key"].startswith("pyn_")
    assert run_json("dataset", "list", "--api-key", key["key"]) is not None
    rotated = run_json("apikey", "rotate", key["id"], *who)
    assert rotated["key"] != key["key"]
    run("dataset", "list", "--api-key", key["key"], expect=1)
    run("apikey", "revoke", rotated["id"], "--yes", *who)
    run("dataset", "list", "--api-key", rotated["key"], expect=1)
    assert run_json("apikey", "list", "--live", *who) == []
    out, _ = run("apikey", "list", *who)
    assert key["key"] not in out


def test_a_server_plays_no_tricks_on_the_terminal(capsys):
    tables.show([{"name": "[red]\x1b[2J\r\nx\u202e"}], {"name": "name"})
    out = capsys.readouterr().out
    assert out.splitlines()[1].rstrip() == "[red]\\x1b[2J\\r\\nx\\u202e"


@pytest.mark.parametrize("verb", ["dataset", "detector", "detection", "job", "user", "apikey"])
def test_help_loads_no_client(verb):
    code = (
        f"import sys; from pynomaly.cli.main import main; main([{verb!r}, '--help']);"
        "print([m for m in ('numpy', 'rich', 'httpx', 'duckdb', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_at_a_terminal_a_bar_and_notes_go_to_standard_error_only(served, key, table):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pynomaly", "dataset", "upload", str(table), "--json"]
    environment = os.environ | {"PYNOMALY_SERVER": served.url, "PYNOMALY_API_KEY": key, "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # the terminal is closed: the command has ended
        pass
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert json.loads(out)["status"] == "ready"
    assert b"Reading" in shown


@pytest.mark.parametrize(
    ("text", "says"),
    [("{", "not JSON"), ("[1]", "JSON object"), ("3\n", "JSON object"), (None, "Cannot read")],
)
def test_rows_that_are_none_are_refused_before_they_are_sent(run, tmp_path, text, says):
    file = tmp_path / "rows.json"
    if text is not None:
        file.write_text(text)
    _, err = run("detection", "score", "x", file, expect=3)
    assert says in err


def test_rows_are_a_json_array_too(run, tmp_path):
    file = tmp_path / "rows.json"
    file.write_text('[{"a": 1}]')
    _, err = run("detection", "score", "x", file, "--version", "2", expect=1)
    assert "There is no detector with this id" in err
