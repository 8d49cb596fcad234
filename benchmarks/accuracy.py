"""Compares accuracy with scikit-learn on labelled sets: `python benchmarks/accuracy.py --data FOLDER
[--seeds 5]`.

FOLDER holds .npz files with `X` and `y` (0 normal, 1 anomaly). Each algorithm learns from the whole set
without labels and scores it. Prints AUC-ROC / average precision per set (forests: mean over seeds, and the
standard error of the difference), the means, and one JSON line. Sets above --rows rows are subsampled."""

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest

from pynomaly.detection.catalogue import CATALOGUE, create
from pynomaly.detection.evaluate import auc_roc, average_precision


def measure(labels: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Give AUC-ROC and average precision."""
    return auc_roc(labels, scores), average_precision(labels, scores)


def forests(X: np.ndarray, y: np.ndarray, seeds: int) -> dict[str, Any]:
    """Compare our forest with scikit-learn's over seeds."""
    ours = np.array(
        [measure(y, create("isolation_forest", {}, s).fit(X).training_scores_) for s in range(seeds)]
    )
    peer = np.array(
        [measure(y, -IsolationForest(random_state=s).fit(X).score_samples(X)) for s in range(seeds)]
    )
    error = np.sqrt((ours.var(axis=0, ddof=1) + peer.var(axis=0, ddof=1)) / seeds)
    return {"ours": list(ours.mean(axis=0)), "sklearn": list(peer.mean(axis=0)), "error": list(error)}


def compare(path: Path, rows: int, seeds: int, names: list[str]) -> dict[str, Any] | None:
    """Measure all algorithms on one set; None when its subsample has one kind of label only."""
    with np.load(path) as data:
        X, y = np.ascontiguousarray(data["X"], np.float64), data["y"].ravel().astype(int)
    if len(X) > rows:
        chosen = np.random.default_rng(0).choice(len(X), rows, replace=False)
        X, y = X[chosen], y[chosen]
    if len(set(y)) < 2:
        return None
    result: dict[str, Any] = {"set": path.stem, "rows": len(X), "columns": X.shape[1], **forests(X, y, seeds)}
    for name in names:
        result[name] = measure(y, create(name).fit(X).training_scores_)
    return result


def show(row: dict[str, Any], names: list[str]) -> None:
    """Print one set's line."""
    pairs = [row["ours"], row["sklearn"], *(row[name] for name in names)]
    z = (row["ours"][0] - row["sklearn"][0]) / max(row["error"][0], 1e-12)
    texts = [f"{auc:.3f}/{precision:.3f}  " for auc, precision in pairs]
    print(
        f"{row['set'][:21]:22}{row['rows']:>9} x {row['columns']:<5}",
        *texts[:2],
        f"{z:>5.1f}  ",
        *texts[2:],
        flush=True,
    )


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of .npz files with X and y")
    parser.add_argument("--sets", nargs="*", default=[], help="only sets whose name contains one of these")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--forest-only", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = [] if options.forest_only else [name for name in CATALOGUE if name != "isolation_forest"]
    results = []
    print("set                      rows x columns    forest         sklearn            z  ", *names)
    for path in sorted(options.data.glob("*.npz")):
        if options.sets and not any(word in path.stem for word in options.sets):
            continue
        row = compare(path, options.rows, options.seeds, names)
        if row is None:
            continue
        results.append(row)
        show(row, names)
    difference = np.array([np.subtract(row["ours"], row["sklearn"]) for row in results])
    error = np.sqrt(np.sum([np.square(row["error"]) for row in results], axis=0)) / len(results)
    for i, what in enumerate(("AUC-ROC", "average precision")):
        mean = difference[:, i].mean()
        print(f"mean difference of the forests, {what}: {mean:+.4f} (standard error {error[i]:.4f})")
    print(json.dumps({"benchmark": "accuracy", "seeds": options.seeds, "results": results}))


if __name__ == "__main__":
    main()
