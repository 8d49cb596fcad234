"""Compares accuracy with scikit-learn and PyOD on labelled sets: `benchmarks/accuracy.py --data FOLDER`.

FOLDER holds .npz files with `X` and `y` (0 normal, 1 anomaly). Each detector runs with its defaults under two
published protocols (see `splits.py`), `auto` and other algorithms that have the parameter with
`clean_training=True` under B; labels only measure. Each run is a process of its own on one thread, with a
limit on time and memory. What is done is kept in --cache (one JSON object a line; delete the file, or name
algorithms with --redo, after a change), so that a run can be interrupted, resumed and extended.
Prints markdown tables and one JSON line."""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import one_thread  # noqa: F401 isort: skip (before numpy)
import numpy as np
from accuracy_report import report
from children import run_all
from peers import PEERS
from splits import FEWEST, Split, read_set, split

from pynomaly.detection import catalogue
from pynomaly.detection.algorithms.threads import limit_threads
from pynomaly.detection.evaluate import auc_roc, average_precision

PROTOCOLS = ("A", "B")


@dataclass(frozen=True)
class Task:
    """One run: what makes it different from every other."""

    protocol: str
    set: str
    seed: int
    algorithm: str
    resampled: bool
    max_rows: int


def available() -> list[str]:
    """List our algorithms whose extra is installed; those that wrap PyOD's are PyOD's."""
    return [
        name
        for name, entry in catalogue.CATALOGUE.items()
        if not name.startswith("pyod.") and entry.available
    ]


def fitted(algorithm: str, given: Split, protocol: str, seed: int) -> Any:
    """Train one of ours (`knn`, `knn(n_neighbors=10)`) or a peer; gives its scoring function."""
    if algorithm in PEERS:
        return PEERS[algorithm].fit(given.train, seed)
    name, params = catalogue.member(algorithm)
    entry = catalogue.get(name)
    if protocol == "B" and any(parameter.name == "clean_training" for parameter in entry.parameters):
        params["clean_training"] = True
    return catalogue.create(name, params, seed).fit(given.train).score


def measure(task: Task, folder: Path) -> dict[str, Any]:
    """Run one task: accuracy, and seconds to fit and to score."""
    limit_threads(1)
    warnings.simplefilter("ignore")
    X, y = read_set(folder / f"{task.set}.npz")
    given = split(X, y, task.protocol, task.seed, task.max_rows, task.resampled)
    peer = PEERS.get(task.algorithm)
    if peer and peer.most_rows and len(given.train) > peer.most_rows:
        return {"failed": f"more than {peer.most_rows:,} rows"}
    np.random.seed(task.seed)  # for peers that draw from the global generator
    with redirect_stdout(None):  # some peers talk
        start = time.perf_counter()
        score = fitted(task.algorithm, given, task.protocol, task.seed)
        between = time.perf_counter()
        scores = np.asarray(score(given.test), float).ravel()
        end = time.perf_counter()
    if not peer and not np.isfinite(scores).all():
        return {"failed": "scores that are not finite"}
    scores = np.nan_to_num(scores)  # those of peers; the published comparison does so too
    auc, ap = auc_roc(given.labels, scores), average_precision(given.labels, scores)
    return {"auc_roc": auc, "average_precision": ap, "fit": between - start, "score": end - between}


def chosen_sets(options: argparse.Namespace) -> list[str]:
    """List the sets asked for, small ones first."""
    paths = sorted(options.data.glob("*.npz"), key=lambda path: path.stat().st_size)
    names = [path.stem for path in paths]
    return [name for name in names if not options.sets or any(word in name for word in options.sets)]


def all_tasks(options: argparse.Namespace, algorithms: list[str]) -> list[Task]:
    """List every run that the options ask for, the first seed of all sets first."""
    sets = chosen_sets(options)
    rows = {name: len(read_set(options.data / f"{name}.npz")[1]) for name in sets}
    tasks = []
    for seed in range(options.seeds):
        for protocol in options.protocols:
            for name in sets:
                for resampled in (
                    {False, rows[name] < FEWEST} if options.no_resampling else [rows[name] < FEWEST]
                ):
                    tasks += [Task(protocol, name, seed, a, resampled, options.max_rows) for a in algorithms]
    return tasks


def read_cache(path: Path | None) -> dict[Task, dict[str, Any]]:
    """Read what earlier runs found; the last line of a task counts, and one cut short none."""
    known: dict[Task, dict[str, Any]] = {}
    for line in path.read_text().splitlines() if path and path.exists() else []:
        try:
            entry = json.loads(line)
            known[Task(**entry["task"])] = entry["found"]
        except (ValueError, KeyError, TypeError):
            continue
    return known


def settled(found: dict[str, Any] | None, options: argparse.Namespace) -> bool:
    """Tell whether a run need not be done again: a longer time limit asks for it."""
    return found is not None and found.get("over", options.time_limit) >= options.time_limit


def still_to_do(
    tasks: list[Task], known: dict[Task, dict[str, Any]], options: argparse.Namespace
) -> Iterator[Task]:
    """Give the tasks without an answer; where one seed failed, the other seeds are spared."""
    for task in tasks:
        first = known.get(Task(**{**asdict(task), "seed": 0}))
        if not settled(known.get(task), options) and not (task.seed and first and "failed" in first):
            yield task


def warm_up(algorithms: list[str]) -> None:
    """Import libraries and compile kernels once, in the process that the children are forked from."""
    limit_threads(1)
    X = np.random.default_rng(0).normal(size=(64, 3))
    given = Split(X, X, np.zeros(64))
    for name in algorithms:
        if name not in PEERS and getattr(catalogue.get(catalogue.member(name)[0]), "extra", None):
            continue  # torch and TensorFlow start threads, which do not survive a fork
        with warnings.catch_warnings(), redirect_stdout(None):
            warnings.simplefilter("ignore")
            try:
                fitted(name, given, "A", 0)(X)
            except Exception as error:  # noqa: BLE001 its runs will say so too
                print(f"{name} does not warm up: {error}", file=sys.stderr)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of .npz files with X and y")
    parser.add_argument("--sets", nargs="*", default=[], help="only sets whose name contains one of these")
    parser.add_argument("--algorithms", nargs="*", help="names, also 'knn(n_neighbors=10)', ours, peers")
    parser.add_argument("--protocols", nargs="*", default=PROTOCOLS, choices=PROTOCOLS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--no-resampling", action="store_true", help="also leave small sets as they are")
    parser.add_argument("--max-rows", type=int, default=50_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--time-limit", type=float, default=300.0, metavar="SECONDS", help="for one run")
    parser.add_argument("--memory-limit", type=int, default=8_192, metavar="MIB", help="for one run")
    parser.add_argument("--cache", type=Path, help="JSON-lines file of what was found")
    parser.add_argument("--redo", nargs="*", default=[], help="algorithms whose cached runs do not count")
    parser.add_argument("--against", default="auto", help="the algorithm that all others are compared with")
    parser.add_argument("--report", action="store_true", help="run nothing, report what the cache holds")
    return parser.parse_args()


def asked_for(words: list[str] | None) -> list[str]:
    """Turn --algorithms into names."""
    groups = {"ours": available(), "peers": list(PEERS)}
    names = [name for word in words or ["ours", "peers"] for name in groups.get(word, [word])]
    for name in names:
        if name not in PEERS:
            catalogue.get(catalogue.member(name)[0])
    return list(dict.fromkeys(names))


def run(options: argparse.Namespace, tasks: list[Task], known: dict[Task, dict[str, Any]]) -> None:
    """Do what is not in the cache, and add it there at once."""

    def work(task: Task) -> dict[str, Any]:
        return measure(task, options.data)

    for task in tasks:
        if task.algorithm in options.redo:
            known.pop(task, None)
    left, start = len(list(still_to_do(tasks, known, options))), time.monotonic()
    answers = run_all(
        work, still_to_do(tasks, known, options), options.jobs, options.time_limit, options.memory_limit
    )
    for done, (task, found) in enumerate(answers, 1):
        known[task] = found
        if options.cache:
            with options.cache.open("a") as file:
                file.write(json.dumps({"task": asdict(task), "found": found}) + "\n")
        if done % 50 == 0 or "failed" in found:
            told = found.get("failed", f"{found.get('auc_roc', 0):.3f}")
            name = f"{task.algorithm} on {task.set}, {task.protocol}{task.seed}"
            print(
                f"{done}/{left} in {time.monotonic() - start:.0f} s: {name}: {told}",
                file=sys.stderr,
                flush=True,
            )


def main() -> None:
    """Run the comparison and print it."""
    options = parsed()
    algorithms = asked_for(options.algorithms)
    tasks = all_tasks(options, algorithms)
    known = read_cache(options.cache)
    if not options.report:
        warm_up(algorithms)
        run(options, tasks, known)
    found = [{**asdict(task), **known[task]} for task in tasks if task in known]
    report(found, options.against, options.no_resampling, FEWEST)


if __name__ == "__main__":
    main()
