"""`pynomaly evaluate`: the table, the JSON and the files, and mistakes in one line on standard error."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars
import pytest

import pynomaly
from pynomaly.cli.main import main
from pynomaly.detection import catalogue
from pynomaly.errors import FitFailed

RNG = np.random.default_rng(9)
ROWS = [[*map(float, row), "xyz"[i % 3], int(i % 20 == 7)] for i, row in enumerate(RNG.normal(size=(160, 3)))]
for anomaly in ROWS[7::20]:
    anomaly[0] += 4.0
NAMES = ["a", "b", "c", "kind", "label"]


def write(path, rows, header):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "table.csv", ROWS, NAMES)


@pytest.fixture
def evaluate(capsys):
    """Run the command: exit code, standard output, standard error."""

    def run(*arguments):
        code = main(["evaluate", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def timeless(told):
    """Leave out what differs from run to run."""
    for row in told["algorithms"]:
        for name in ("fit_seconds", "score_seconds", "peak_mib"):
            del row[name]
    return told


def test_the_json_is_what_the_library_gives(evaluate, table):
    arguments = ["-a", "hbos,knn(n_neighbors=9, method=mean)", "-a", "isolation_forest", "--seeds", 2]
    code, out, err = evaluate(table, "--label-column", "label", *arguments, "--format", "json")
    assert (code, err) == (0, "")
    some = ["hbos", "knn(n_neighbors=9, method=mean)", "isolation_forest"]
    expected = pynomaly.evaluate(table, "label", some, seeds=2).to_json()
    assert timeless(json.loads(out)) == timeless(json.loads(json.dumps(expected)))


def test_the_table_has_a_line_for_each_algorithm(evaluate, table):
    arguments = ["--algorithms", "isolation_forest,hbos", "--seeds", 3, "--exclude", "kind"]
    code, out, err = evaluate(table, "--label-column", "label", *arguments)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "160 rows, 8 anomalies (5.00%); unsupervised, 3 seeds"
    heads = ["algorithm", "AUC ROC", "avg precision", "precision at n", "best F1", "fit s", "score s", "MiB"]
    assert [head.strip() for head in lines[2].split("  ") if head] == heads
    shown = {line.split()[0]: line for line in lines[3:]}
    assert set(shown) == {"isolation_forest", "hbos"}
    measure = (
        pynomaly.evaluate(table, "label", ["isolation_forest"], seeds=3, exclude=["kind"])
        .algorithms[0]
        .measures
    )
    auc = measure["auc_roc"]
    assert shown["isolation_forest"].split()[1:4] == [f"{auc.mean:.3f}", "±", f"{auc.sd:.3f}"]
    assert "±" not in shown["hbos"]
    assert len({len(line) for line in lines[2:]}) == 1


def test_options_reach_the_evaluation(evaluate, table):
    arguments = ["-a", "hbos", "--protocol", "one-class", "--seeds", 1, "--columns", "a,label"]
    _, out, _ = evaluate(table, "--label-column", "label", *arguments, "--format", "json")
    told = json.loads(out)
    assert (told["protocol"], told["seeds"]) == ("one-class", 1)
    expected = pynomaly.evaluate(table, "label", ["hbos"], protocol="one-class", seeds=1, columns=["a"])
    assert timeless(told) == timeless(expected.to_json())
    assert "one-class, 1 seed\n" in evaluate(table, "--label-column", "label", *arguments)[1]


def test_without_names_the_fast_ones_are_compared(evaluate, table):
    _, out, _ = evaluate(table, "--label-column", "label", "--seeds", 1, "--format", "json")
    names = {row["algorithm"] for row in json.loads(out)["algorithms"]}
    fast = {name for name, e in catalogue.CATALOGUE.items() if e.tags["speed"] == "fast" and e.available}
    assert names == fast | {next(iter(catalogue.CATALOGUE))}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_rows_are_written(evaluate, table, tmp_path, suffix):
    path = tmp_path / f"found.{suffix}"
    assert evaluate(table, "--label-column", "label", "-a", "hbos,pca", "-o", path, "--seeds", 1)[0] == 0
    frame = {"csv": polars.read_csv, "parquet": polars.read_parquet}[suffix](path)
    assert set(frame["algorithm"]) == {"hbos", "pca"}
    assert frame["auc_roc"].min() > 0.5
    assert frame.columns[-1] == "error"


def test_charts_are_written_as_json(evaluate, table, tmp_path):
    path = tmp_path / "found.json"
    assert evaluate(table, "--label-column", "label", "-a", "hbos", "-o", path, "--seeds", 1)[0] == 0
    [row] = json.loads(path.read_text())["algorithms"]
    assert set(row["charts"]) == {"roc", "precision_recall", "scores"}


def test_one_that_fails_is_told_below_the_others(evaluate, table, monkeypatch):
    def fail(self, X, progress):
        raise FitFailed("The columns are odd.")

    monkeypatch.setattr(catalogue.load_class("pca"), "_fit", fail)
    code, out, _ = evaluate(table, "--label-column", "label", "-a", "pca,hbos", "--seeds", 1)
    assert code == 0
    assert out.splitlines()[3].startswith("hbos ")
    assert out.endswith("\n\npca: failed: The columns are odd.\n")
    code, out, _ = evaluate(table, "--label-column", "label", "-a", "pca", "--seeds", 1)
    assert code == 1
    assert out.splitlines()[1:] == ["", "pca: failed: The columns are odd."]


def test_notes_go_to_standard_error(evaluate, tmp_path):
    path = write(tmp_path / "t.csv", [[*row, 5] for row in ROWS], [*NAMES, "five"])
    code, _, err = evaluate(path, "--label-column", "label", "-a", "knn(n_neighbors=500)", "--seeds", 1)
    assert code == 0
    assert "pynomaly: note: Column 'five' is not used: " in err
    assert "pynomaly: note: knn(n_neighbors=500): " in err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], 2, "--label-column"),
        (["--label-column", "nope"], 3, "no column 'nope'"),
        (["--label-column", "a"], 3, "not binary"),
        (["--label-column", "label", "-a", "hboss"], 3, "Did you mean 'hbos'"),
        (["--label-column", "label", "-a", "knn(k=1)"], 3, "no parameter 'k'"),
        (["--label-column", "label", "-a", "knn("], 2, "knn("),
        (["--label-column", "label", "--protocol", "half"], 2, "--protocol"),
        (["--label-column", "label", "--seeds", "0"], 2, "--seeds"),
        (["--label-column", "label", "--columns", "nope"], 3, "no column 'nope'"),
        (["--label-column", "label", "-o", "found.txt"], 2, "end its name in .csv, .parquet or .json"),
        (["--label-column", "label", "-o", "no/such/folder.csv"], 1, "there is no folder"),
    ],
)
def test_mistakes_have_their_exit_code_and_one_clear_line(evaluate, table, arguments, code, says):
    found, out, err = evaluate(table, *arguments)
    assert (found, out) == (code, "")
    assert says in err
    assert err.startswith("pynomaly: error: ")
    assert err.count("\n") == 1


def test_one_kind_of_label_only(evaluate, tmp_path):
    path = write(tmp_path / "t.csv", [[*row[:3], 0] for row in ROWS], ["a", "b", "c", "label"])
    code, out, err = evaluate(path, "--label-column", "label")
    assert (code, out) == (3, "")
    assert "normal rows (0) only" in err


def test_the_table_is_not_overwritten(evaluate, table):
    before = Path(table).read_bytes()
    assert evaluate(table, "--label-column", "label", "-o", table)[0] == 2
    assert Path(table).read_bytes() == before


def test_pipes(table):
    command = [sys.executable, "-m", "pynomaly", "evaluate", "-", "--label-column", "label", "-a", "hbos"]
    with Path(table).open("rb") as file:
        done = subprocess.run([*command, "--format", "json"], stdin=file, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["n_rows"] == 160
    with (
        Path(table).open("rb") as file,
        subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running,
    ):
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0
