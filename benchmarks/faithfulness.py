"""Measures whether reasons are right: `python benchmarks/faithfulness.py [--algorithms a,b] [--seeds 3]`.

Normal tables of several kinds get rows with ONE corrupted column. The column that is named first should be
that one. Two corrupted rows for each column are in the training table (more would be a cluster, not
outliers), the others are new. Prints, for each algorithm, table and corruption, the share of rows whose
corrupted column is named first: of all rows for values that lie outside what the column has; of those that
the algorithm flags (contamination 0.05) for values that are ordinary by themselves, which algorithms that
look at columns one by one cannot see. The number of rows that count stands behind it. Ends with one JSON
line."""

import argparse
import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import pynomaly
from pynomaly.detection.catalogue import CATALOGUE, member
from pynomaly.detection.members import split

ROWS, CORRUPTED, SEEN = 1500, 60, 2
MORE = "isolation_forest(extended=true), auto(clean_training=true)"
Columns = dict[str, NDArray[Any]]
Corrupt = Callable[[Columns, str, NDArray[np.intp], np.random.Generator], None]


@dataclass(frozen=True)
class Case:
    """A kind of table, a corruption of one cell, the columns that it hits, and whether it is plain to see."""

    table: str
    corruption: str
    make: Callable[[np.random.Generator], Columns]
    corrupt: Corrupt
    plain: bool = True
    columns: tuple[str, ...] = ()


def named(X: NDArray[np.float64]) -> Columns:
    """Name a matrix's columns."""
    return {f"x{j}": X[:, j].copy() for j in range(X.shape[1])}


def independent(rng: np.random.Generator) -> Columns:
    """Make five normal columns in different units."""
    return named(rng.normal(size=(ROWS, 5)) * [1, 100, 0.01, 5, 30] + [10, 500, 1, 100, -300])


def correlated(rng: np.random.Generator) -> Columns:
    """Make ten normal columns that vary together: three hidden causes and noise."""
    causes, noise = rng.normal(size=(ROWS, 3)), rng.normal(size=(ROWS, 10))
    return named(causes @ rng.normal(size=(3, 10)) + 0.5 * noise + 20)


def clustered(rng: np.random.Generator) -> Columns:
    """Make four clusters of different size in eight columns."""
    centers = rng.normal(size=(4, 8)) * 6
    of = rng.choice(4, ROWS, p=[0.4, 0.3, 0.2, 0.1])
    return named(centers[of] + rng.normal(size=(ROWS, 8)) + 40)


def heavy(rng: np.random.Generator) -> Columns:
    """Make columns with heavy tails: Student's t with 3 degrees of freedom, log-normal, and exponential."""
    t, log = rng.standard_t(3, (ROWS, 2)), np.exp(rng.normal(size=(ROWS, 2)))
    return named(np.concatenate([t, log, rng.exponential(size=(ROWS, 2))], axis=1))


def mixed(rng: np.random.Generator) -> Columns:
    """Make four numbers, a category of six levels, and one of two, of which a number depends on one."""
    level = rng.choice(list("abcdef"), ROWS, p=[0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
    X = rng.normal(size=(ROWS, 4))
    X[:, 0] += np.where(np.isin(level, ["a", "b"]), 4, 0)
    return named(X) | {"kind": level.astype(object), "flag": rng.choice(["no", "yes"], ROWS, p=[0.8, 0.2])}


def beyond(columns: Columns, name: str, rows: NDArray[np.intp], rng: np.random.Generator) -> None:
    """Move values 8 to 12 robust units from the median, but at least 1.3 times as far as any value is."""
    values = columns[name]
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    sign = rng.choice([-1, 1], len(rows))
    far = np.maximum(
        rng.uniform(8, 12, len(rows)) * (high - low) / 1.349, 1.3 * np.abs(values - middle).max()
    )
    values[rows] = middle + sign * far


def unit_error(columns: Columns, name: str, rows: NDArray[np.intp], _: np.random.Generator) -> None:
    """Give values in a unit that is a thousand times smaller; those near 0 are moved off it first."""
    values = columns[name]
    least = np.quantile(np.abs(values), 0.5)
    values[rows] = 1000 * np.where(np.abs(values[rows]) < least, least, values[rows])


def of_another_row(columns: Columns, name: str, rows: NDArray[np.intp], _: np.random.Generator) -> None:
    """Take the value at the other end of the column's middle 90 %: ordinary, but not in this row."""
    values = columns[name]
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    values[rows] = np.where(values[rows] < middle, high, low)


def new_level(columns: Columns, name: str, rows: NDArray[np.intp], rng: np.random.Generator) -> None:
    """Write levels that no other row has."""
    columns[name][rows] = [f"z{i}" for i in rng.integers(0, 10**9, len(rows))]


NUMBERS = tuple(f"x{j}" for j in range(4))
CASES = (
    Case("independent", "beyond", independent, beyond),
    Case("independent", "unit error", independent, unit_error),
    Case("correlated", "beyond", correlated, beyond),
    Case("correlated", "other end", correlated, of_another_row, plain=False),
    Case("clustered", "beyond", clustered, beyond),
    Case("clustered", "other end", clustered, of_another_row, plain=False),
    Case("heavy tails", "beyond", heavy, beyond),
    Case("heavy tails", "unit error", heavy, unit_error),
    Case("mixed", "beyond", mixed, beyond, columns=NUMBERS),
    Case("mixed", "new level", mixed, new_level, columns=("kind",)),
)


def measure(case: Case, algorithm: str, seed: int) -> tuple[int, int]:
    """Count the corrupted rows that count, and those whose corrupted column is named first."""
    rng = np.random.default_rng(seed)
    made = case.make(rng)
    odd = rng.choice(ROWS, CORRUPTED, replace=False)
    names = case.columns or tuple(made)
    hit = np.resize(np.array(names), len(odd))
    columns = {name: values.copy() for name, values in made.items()}
    for name in names:
        case.corrupt(columns, name, odd[hit == name], rng)
    new = np.isin(np.arange(ROWS), odd[SEEN * len(names) :])
    chosen, parameters = member(algorithm)
    detector = pynomaly.Detector(chosen, seed=seed, contamination=0.05, **parameters)
    detector.fit({name: values[~new].tolist() for name, values in columns.items()})
    rows = {name: values[odd].tolist() for name, values in columns.items()}
    result = detector.detect(rows)
    top = {anomaly.row: anomaly for anomaly in result.top(len(odd))}
    counted = [i for i in range(len(odd)) if case.plain or top[i].is_anomaly]
    first = [top[i].reasons[0].column if top[i].reasons else None for i in counted]
    return len(counted), sum(name == hit[i] for name, i in zip(first, counted, strict=True))


def shares(algorithm: str, seeds: int) -> Iterator[tuple[Case, int, int]]:
    """Measure one algorithm on every case: rows that count and rows whose column is named first."""
    for case in CASES:
        pairs = [measure(case, algorithm, seed) for seed in range(seeds)]
        yield case, sum(n for n, _ in pairs), sum(right for _, right in pairs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--algorithms", default="", help=f"also with parameters: {MORE}; default: all of ours"
    )
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = split(options.algorithms) or [*(n for n, info in CATALOGUE.items() if own(n)), *split(MORE)]
    print(
        "| algorithm | " + " | ".join(f"{case.table}, {case.corruption}" for case in CASES) + " | all plain |"
    )
    print("|---" * (len(CASES) + 2) + "|")
    results = []
    for name in names:
        found = list(shares(name, options.seeds))
        plain = [(n, right) for case, n, right in found if case.plain]
        share = sum(right for _, right in plain) / sum(n for n, _ in plain)
        cells = [f"{right / n:.1%} of {n}" if n else "none flagged" for _, n, right in found]
        print(f"| {name} | " + " | ".join(cells) + f" | **{share:.1%}** |", flush=True)
        results.append({"algorithm": name, "share": share, "cells": [pair[1:] for pair in found]})
    report(results)


def own(name: str) -> bool:
    """Tell whether an algorithm is ours and installed."""
    return CATALOGUE[name].available and not name.startswith("pyod.")


def report(results: list[dict[str, Any]]) -> None:
    """Print the JSON line."""
    cases = [f"{case.table}, {case.corruption}" for case in CASES]
    print(json.dumps({"benchmark": "faithfulness", "cases": cases, "results": results}))


if __name__ == "__main__":
    main()
