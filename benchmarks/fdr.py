"""Simulates what p-values and `fdr` promise: `python benchmarks/fdr.py`.

Each repetition draws a table of normal rows (two correlated clusters, five columns), trains on it, and judges
another table of 500 rows, of which 0, 5 or 10 % are anomalies. Four markdown tables and one JSON line:

- p-values: how often a new normal row has p <= a; it should be a at most;
- fdr: the mean share of false alarms among the flagged rows (with no anomalies: how often any is flagged)
  and the mean share of anomalies that are flagged, with standard errors; the first should be q at most;
- one table: the same when the anomalies are in the table that is trained on and judged at once, for `fdr` and
  for contamination "auto". There the promise rests on how scores fall off (see docs/scores.md);
- by heart: p <= 0.05 with 80 training rows of 10 columns of noise, beside what p-values against the plain
  training scores would be.
"""

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pynomaly import Detector
from pynomaly.detection.catalogue import CATALOGUE

ALGORITHMS = (
    "auto",
    "isolation_forest",
    "elliptic_envelope",
    "knn",
    "local_outlier_factor",
    "one_class_svm",
    "hbos",
    "loda",
    "gmm",
)
ROWS = (200, 1000, 5000)
SHARES = (0.0, 0.05, 0.1)
LEVELS = (0.05, 0.1, 0.2)
P_VALUES = (0.01, 0.05, 0.1, 0.2)
JUDGED = 500
FEW, WIDE, HEART = 80, 10, 0.05
D = 5


@dataclass(frozen=True)
class Mean:
    """A mean over repetitions and its standard error."""

    mean: float
    error: float

    @classmethod
    def of(cls, values: list[float]) -> "Mean":
        """Average the repetitions."""
        return cls(float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values))))

    def __str__(self) -> str:
        """Write both for people."""
        return f"{self.mean:.3f} ± {self.error:.3f}"


def normal_rows(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Draw from two clusters whose columns are correlated."""
    mixing = np.eye(D) + 0.5
    centers = np.where(rng.random((n, 1)) < 0.6, 0.0, 8.0)
    return rng.normal(size=(n, D)) @ mixing + centers


def labelled_rows(
    rng: np.random.Generator, n: int, share: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Draw normal rows, of which the first few are moved far out in random directions."""
    X, count = normal_rows(rng, n), round(share * n)
    away = rng.normal(size=(count, D))
    X[:count] += 15 * away / np.linalg.norm(away, axis=1, keepdims=True)
    return X, np.arange(n) < count


def false_share(flagged: NDArray[np.bool_], anomalous: NDArray[np.bool_]) -> float:
    """Give the share of false alarms among the flagged rows; 0 when none is flagged."""
    return float((flagged & ~anomalous).sum() / max(1, flagged.sum()))


def found_share(flagged: NDArray[np.bool_], anomalous: NDArray[np.bool_]) -> float:
    """Give the share of the anomalies that are flagged."""
    return float(flagged[anomalous].mean()) if anomalous.any() else math.nan


def new_tables(algorithm: str, rows: int, repetitions: int) -> Iterator[dict[str, Any]]:
    """Train on normal rows and judge other tables."""
    below: dict[float, list[float]] = {a: [] for a in P_VALUES}
    outcome: dict[tuple[float, float], list[tuple[float, float]]] = {}
    for repetition in range(repetitions):
        rng = np.random.default_rng([repetition, rows])
        detector = Detector(algorithm, seed=repetition).fit(normal_rows(rng, rows))
        for share in SHARES:
            X, anomalous = labelled_rows(rng, JUDGED, share)
            scores = detector.score(X)
            for q in LEVELS:
                _, p, flagged, _ = detector.set_threshold(fdr=q).model.judge(scores)
                pair = false_share(flagged, anomalous), found_share(flagged, anomalous)
                outcome.setdefault((share, q), []).append(pair)
            if not share:
                for a in P_VALUES:
                    below[a].append(float((p <= a).mean()))
    for a, found in below.items():
        yield {"what": "p", "algorithm": algorithm, "rows": rows, "a": a, "below": Mean.of(found)}
    for (share, q), pairs in outcome.items():
        yield told("fdr", algorithm, rows, share, f"{q:g}", pairs)


def same_table(algorithm: str, rows: int, repetitions: int) -> Iterator[dict[str, Any]]:
    """Train on the table that is judged."""
    ways: dict[str, dict[str, Any]] = {f"{q:g}": {"fdr": q} for q in LEVELS} | {"auto": {}}
    for share in SHARES:
        outcome: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for repetition in range(repetitions):
            rng = np.random.default_rng([repetition, rows, 1])
            X, anomalous = labelled_rows(rng, rows, share)
            detector = Detector(algorithm, seed=repetition).fit(X)
            scores = detector.score(X)
            for way, arguments in ways.items():
                flagged = detector.set_threshold(**arguments).model.judge(scores)[2]
                outcome[way].append((false_share(flagged, anomalous), found_share(flagged, anomalous)))
        for way, pairs in outcome.items():
            yield told("one", algorithm, rows, share, way, pairs)


def by_heart(algorithm: str, repetitions: int) -> dict[str, Any]:
    """Compare out-of-sample p-values with those against the training scores, in few rows of many columns."""
    kept: list[float] = []
    plain: list[float] = []
    for repetition in range(repetitions):
        rng = np.random.default_rng([repetition, 2])
        model = Detector(algorithm, seed=repetition).fit(rng.normal(size=(FEW, WIDE))).model
        scores = model.score_array(rng.normal(size=(JUDGED, WIDE)))
        kept.append(float((model.calibration.p_values(scores) <= HEART).mean()))
        plain.append(float((model.training.p_values(scores) <= HEART).mean()))
    return {"what": "heart", "algorithm": algorithm, "kept": Mean.of(kept), "plain": Mean.of(plain)}


def told(
    what: str, algorithm: str, rows: int, share: float, way: str, pairs: list[tuple[float, float]]
) -> dict[str, Any]:
    """Sum up one way's repetitions."""
    false, found = zip(*pairs, strict=True)
    power = Mean.of(list(found)) if share else None
    return {
        "what": what,
        "algorithm": algorithm,
        "rows": rows,
        "share": share,
        "way": way,
        "fdr": Mean.of(list(false)),
        "power": power,
    }


def report(lines: list[dict[str, Any]]) -> str:
    """Write the three tables."""
    text = ["| algorithm | rows | " + " | ".join(f"p <= {a:g}" for a in P_VALUES) + " |", "|---" * 6 + "|"]
    seen = dict.fromkeys((line["algorithm"], line["rows"]) for line in lines if "rows" in line)
    for name, rows in seen:
        cells = [
            str(x["below"]) for x in lines if x["what"] == "p" and (x["algorithm"], x["rows"]) == (name, rows)
        ]
        text.append(f"| {name} | {rows} | " + " | ".join(cells) + " |")
    for what, title in (("fdr", "q"), ("one", "one table, q")):
        text += ["", f"| algorithm | rows | anomalies | {title} | false alarms | found |", "|---" * 6 + "|"]
        for x in lines:
            if x["what"] == what:
                cells = [x["algorithm"], x["rows"], f"{x['share']:.0%}", x["way"], x["fdr"], x["power"] or ""]
                text.append("| " + " | ".join(map(str, cells)) + " |")
    text += ["", f"| algorithm | p <= {HEART:g} by heart | against training scores |", "|---" * 3 + "|"]
    text += [f"| {x['algorithm']} | {x['kept']} | {x['plain']} |" for x in lines if x["what"] == "heart"]
    return "\n".join(text)


def main() -> None:
    """Simulate, print tables and one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--algorithms", default=",".join(name for name in ALGORITHMS if name in CATALOGUE))
    parser.add_argument("--rows", default=",".join(map(str, ROWS)))
    given = parser.parse_args()
    lines: list[dict[str, Any]] = []
    for algorithm in given.algorithms.split(","):
        for rows in map(int, given.rows.split(",")):
            repetitions = max(2, given.repetitions if rows < 5000 else given.repetitions // 4)
            lines += new_tables(algorithm, rows, repetitions)
            lines += same_table(algorithm, rows, max(2, repetitions // 2))
        lines.append(by_heart(algorithm, max(2, given.repetitions // 2)))
    print(report(lines))
    print(json.dumps({"benchmark": "fdr", "lines": lines}, default=asdict))


if __name__ == "__main__":
    main()
