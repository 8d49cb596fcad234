"""Compares recipes for `auto` on labelled sets: `benchmarks/recipes.py FOLDER [FOLDER …]`.

Each FOLDER holds .npz files with `X` and `y`, as for `accuracy.py` (`keel_sets.py` makes another one). All
members are trained on the split of each set and seed; their levels are combined afterwards, so that recipes
cost nothing. Prints a markdown table for each protocol: the mean over sets of AUC-ROC and average precision,
in percent, for each folder; and which recipe each set would be given by all others (leave-one-set-out).
Two seeds at 4,000 rows take about ten minutes for 70 sets on two cores.
"""

import one_thread  # noqa: F401, I001 - before numpy

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from splits import Split, read_set, split

from pynomaly.detection import catalogue
from pynomaly.detection.algorithms.auto import FAR, FAR_FROM_KEPT, ISOLATED
from pynomaly.detection.algorithms.levels import Levels
from pynomaly.detection.algorithms.threads import limit_threads
from pynomaly.detection.evaluate import auc_roc, average_precision

REFERENCES = 1_000
MOST_COLUMNS = 300
WHOLE = {
    "mcd": "elliptic_envelope",
    "ecod": "ecod",
    "copod": "copod",
    "forest": "isolation_forest",
    "hbos": "hbos",
    "loda": "loda",
    "pca": "pca",
    "lof": "local_outlier_factor",
    "knn5": "knn",
}
KEPT = {
    "mixture": "gmm",
    "loda": "loda",
    "mcd": "elliptic_envelope",
    "kde": "kde",
    "knn5": "knn(scaling=rank)",
}
CLEAN = {
    "nearest": "knn(n_neighbors=1, scaling=robust)",
    "nearest by ranks": "knn(n_neighbors=1, scaling=rank)",
    "5 by ranks": "knn(n_neighbors=5, method=mean, scaling=rank)",
    "5": "knn",
    "dte": "dte_nonparametric",
    "mixture": "gmm(normal_share=1)",
    "kde": "kde",
    "hbos": "hbos",
    "forest": "isolation_forest",
    "mcd": "elliptic_envelope",
    "lof": "local_outlier_factor",
    "inne": "inne",
    "pca": "pca",
}
TWO = "far 50, far 80"
RECIPES = {
    "A": {
        "mcd": "mcd",
        "forest": "forest",
        "ecod": "ecod",
        "loda": "loda",
        "large neighbourhood": "far",
        "the same of 65 % kept": "far 65",
        "mixture of 65 % kept": "mixture 65",
        "loda of 65 % kept": "loda 65",
        "the first stage": "mcd, far, forest",
        "first recipe": "mcd, ecod, far 65, far 65",
        "with a mixture": "mcd, ecod, far 65, mixture 65",
        "two amounts of trimming": f"mcd, ecod, {TWO}, mixture 65",
        "auto": f"mcd, ecod, {TWO}, mixture 65, loda 65",
        "loda of 65 % kept for ecod": f"mcd, {TWO}, mixture 65, loda 65",
        "copod for ecod": f"mcd, copod, {TWO}, mixture 65, loda 65",
        "without mcd": f"ecod, {TWO}, mixture 65, loda 65",
        "without mixture": f"mcd, ecod, {TWO}, loda 65",
        "mcd of 65 % kept for mcd": f"mcd 65, ecod, {TWO}, mixture 65, loda 65",
        **{
            f"with {name}": f"mcd, ecod, {TWO}, mixture 65, loda 65, {name}"
            for name in ("forest", "hbos", "loda", "pca", "lof", "knn5", "kde 65", "knn5 65")
        },
    },
    "B": {
        "dte": "dte",
        "5 neighbours": "5",
        "mixture": "mixture",
        "forest": "forest",
        "nearest by ranks": "nearest by ranks",
        "5 by ranks": "5 by ranks",
        "first recipe": "nearest, 5 by ranks",
        "auto": "nearest, nearest by ranks, 5 by ranks, mixture",
        **{
            f"with {name}": f"nearest, nearest by ranks, 5 by ranks, mixture, {name}"
            for name in ("hbos", "mcd", "kde", "lof", "inne", "pca", "forest")
        },
    },
}


@dataclass(frozen=True)
class Task:
    """One split of one set."""

    path: Path
    protocol: str
    seed: int
    max_rows: int
    resample: bool


def levels(spelled: str, train: np.ndarray, rows: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, ...]:
    """Train a member; give the levels of `rows` (what they refer to) and of `test`."""
    name, parameters = catalogue.member(spelled)
    found = catalogue.create(name, parameters, 0).fit(train)
    scores = found.training_scores_ if train is rows else found.score(rows)
    fitted = Levels.fit(scores)
    return fitted.apply(scores), fitted.apply(found.score(test))


def spelled(spec: tuple) -> str:
    """Write a member of auto's as text."""
    return f"{spec[0]}({', '.join(f'{k}={v}' for k, v in spec[1].items())})"


def some(X: np.ndarray) -> np.ndarray:
    """Choose the references of large neighbourhoods."""
    return X[np.random.default_rng(0).permutation(len(X))[:REFERENCES]]


def mixed(given: Split) -> dict[str, np.ndarray]:
    """Give the test rows' levels by each member of both stages."""
    train, test = given.train, given.test
    both = {name: levels(text, train, train, test) for name, text in WHOLE.items()}
    both["far"] = levels(spelled(FAR), some(train), train, test)
    seen = [both["mcd"][0], both["far"][0], levels(spelled(ISOLATED), train, train, test)[0]]
    order = np.argsort(np.sum(seen, axis=0), kind="stable")
    for percent in (50, 65, 80):
        kept = train[np.sort(order[: round(percent / 100 * len(train))])]
        both[f"far {percent}"] = levels(spelled(FAR_FROM_KEPT), some(kept), train, test)
        if percent == 65:
            both |= {f"{name} 65": levels(text, kept, train, test) for name, text in KEPT.items()}
    return {name: found[1] for name, found in both.items()}


def clean(given: Split) -> dict[str, np.ndarray]:
    """Give the test rows' levels by each member for clean training rows."""
    return {name: levels(text, given.train, given.train, given.test)[1] for name, text in CLEAN.items()}


def measure(task: Task) -> tuple[Task, dict[str, tuple[float, float]] | None]:
    """Give each recipe's AUC-ROC and average precision on one split; None when it cannot be."""
    limit_threads(1)
    X, y = read_set(task.path)
    given = split(X, y, task.protocol, task.seed, task.max_rows, task.resample)
    if X.shape[1] > MOST_COLUMNS or not 0 < given.labels.sum() < len(given.labels):
        return task, None
    found = (mixed if task.protocol == "A" else clean)(given)
    out = {}
    for recipe, members in RECIPES[task.protocol].items():
        total = np.sum([found[name] for name in members.split(", ")], axis=0)
        out[recipe] = (100 * auc_roc(given.labels, total), 100 * average_precision(given.labels, total))
    return task, out


def report(title: str, results: list[tuple[Task, dict[str, tuple[float, float]]]]) -> str:
    """Write the table of one protocol."""
    recipes = list(results[0][1])
    paths = sorted({task.path for task, _ in results})
    cells = np.array(
        [
            np.mean([[found[r] for r in recipes] for task, found in results if task.path == p], axis=0)
            for p in paths
        ]
    )  # sets, recipes, 2
    folders = np.array([path.parent.name for path in paths])
    names = list(dict.fromkeys(folders))
    counts = ", ".join(f"{name} ({(folders == name).sum()})" for name in names)
    lines = [
        f"### {title}: {counts}",
        "",
        f"| recipe | {' | '.join(names)} | all |",
        "|---" * (len(names) + 2) + "|",
    ]
    for place, recipe in enumerate(recipes):
        means = [cells[folders == name, place].mean(axis=0) for name in names] + [
            cells[:, place].mean(axis=0)
        ]
        lines.append(f"| {recipe} | " + " | ".join(f"{auc:.1f} / {ap:.1f}" for auc, ap in means) + " |")
    sums = cells.sum(axis=2)
    best = [int(np.delete(sums, i, axis=0).mean(axis=0).argmax()) for i in range(len(paths))]
    left_out = np.mean([cells[i, place] for i, place in enumerate(best)], axis=0)
    chosen = ", ".join(f"{recipes[place]} ({count})" for place, count in Counter(best).most_common())
    lines += ["", f"Leave-one-set-out: {left_out[0]:.1f} / {left_out[1]:.1f}, by {chosen}.", ""]
    return "\n".join(lines)


def main() -> None:
    """Measure, print tables and one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--max-rows", type=int, default=4_000)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    titles = {("A", True): "Protocol A", ("B", True): "Protocol B", ("B", False): "Protocol B, not resampled"}
    tasks = [
        Task(path, protocol, seed, given.max_rows, resample)
        for protocol, resample in titles
        for seed in range(given.seeds)
        for folder in given.folders
        for path in sorted(folder.glob("*.npz"))
    ]
    with get_context("fork").Pool(given.jobs) as pool:
        done = [(task, found) for task, found in pool.imap(measure, tasks) if found]
    for (protocol, resample), title in titles.items():
        print(report(title, [d for d in done if (d[0].protocol, d[0].resample) == (protocol, resample)]))
    lines = [{"set": str(t.path.stem), "protocol": t.protocol, "seed": t.seed, "found": f} for t, f in done]
    print(json.dumps({"benchmark": "recipes", "lines": lines}))


if __name__ == "__main__":
    main()
