"""Turns accuracy runs into tables: means, the paired comparison with one algorithm, namesakes, each set."""

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from peers import NAMESAKES
from scipy.stats import wilcoxon

METRICS = ("auc_roc", "average_precision")
TITLES = {"A": "Protocol A, unsupervised", "B": "Protocol B, one-class"}
Runs = dict[str, dict[str, dict[int, dict[str, Any]]]]
"""Algorithm -> set -> seed -> what was found."""


@dataclass(frozen=True)
class Row:
    """One algorithm: its mean over sets, in percent, and how it stands to the one compared with."""

    algorithm: str
    sets: int
    auc_roc: float
    average_precision: float
    seconds: float
    common: int
    difference: dict[str, float]
    p: dict[str, float]


def report(found: list[dict[str, Any]], against: str, unsampled_too: bool, fewest: int) -> None:
    """Print all tables and the JSON line."""
    small = {run["set"] for run in found if run["resampled"]}
    told: dict[str, Any] = {"benchmark": "accuracy", "against": against}
    for protocol in TITLES:
        for resampled in (True, False) if unsampled_too else (True,):
            runs = grouped(
                r
                for r in found
                if r["protocol"] == protocol and (r["set"] not in small or r["resampled"] == resampled)
            )
            if not runs:
                continue
            how = f"sets under {fewest:,} rows resampled" if resampled else "no set resampled"
            title = f"{TITLES[protocol]} ({how})"
            told[title] = tables(runs, title, against)
    print(json.dumps(_without_nan(told)))


def grouped(found: Iterable[dict[str, Any]]) -> Runs:
    """Arrange runs by algorithm, set and seed."""
    runs: Runs = defaultdict(lambda: defaultdict(dict))
    for run in found:
        runs[run["algorithm"]][run["set"]][run["seed"]] = run
    return runs


def tables(runs: Runs, title: str, against: str) -> dict[str, Any]:
    """Print the tables of one protocol; gives them as JSON values."""
    sets = sorted({name for by_set in runs.values() for name in by_set}, key=_number)
    seeds = max(len(by_seed) for by_set in runs.values() for by_seed in by_set.values())
    rows = summary(runs, against)
    print(f"\n## {title}; sets: {len(sets)}, seeds: {seeds}\n")
    print(
        f"Means over sets in percent; ±: {against} minus the algorithm, on the sets that both have; p: paired"
    )
    print("Wilcoxon over these sets; seconds: median over sets of fit + score on one thread.\n")
    heads = ("algorithm", "sets", "AUC-ROC", "AP", "seconds", "common", "± AUC-ROC", "p", "± AP", "p")
    table(heads, [_cells(row) for row in rows])
    namesakes = compared(runs)
    if namesakes:
        print("\nNamesakes: ours minus theirs in points, ± standard error by seeds, and by sets\n")
        table(
            ("ours", "theirs", "sets", "AUC-ROC", "AP", "least on a set"),
            [_namesake(row) for row in namesakes],
        )
    for metric, name in zip(METRICS, ("AUC-ROC", "AP"), strict=True):
        print(f"\n{name} by set, in percent, mean over seeds\n")
        short = [name.partition("_")[2] or name for name in sets]
        body = [
            [row.algorithm, *(_percent(mean(runs[row.algorithm].get(s), metric)) for s in sets)]
            for row in rows
        ]
        table(("algorithm", *short), body)
    failed = failures(runs)
    if failed:
        print("\nNot measured\n")
        table(("algorithm", "why", "sets"), failed)
    by_set = {a: {s: [mean(runs[a].get(s), m) for m in METRICS] for s in sets} for a in runs}
    return {"means": [vars(row) for row in rows], "namesakes": namesakes, "sets": by_set, "failed": failed}


def summary(runs: Runs, against: str) -> list[Row]:
    """Sum up each algorithm, the best AUC-ROC first."""
    rows = []
    base = runs.get(against, {})
    for algorithm, by_set in runs.items():
        done = [name for name in by_set if mean(by_set[name], "auc_roc") is not None]
        if not done:
            continue
        common = [name for name in done if mean(base.get(name), "auc_roc") is not None]
        auc, ap = (100 * np.mean([mean(by_set[name], metric) for name in done]) for metric in METRICS)
        took = [(mean(by_set[name], "fit") or 0) + (mean(by_set[name], "score") or 0) for name in done]
        pairs = {m: [(mean(base[name], m), mean(by_set[name], m)) for name in common] for m in METRICS}
        difference = {
            m: 100 * float(np.mean([a - b for a, b in p])) if p else math.nan for m, p in pairs.items()
        }
        p = {m: _wilcoxon(pair) for m, pair in pairs.items()}
        rows.append(
            Row(
                algorithm,
                len(done),
                float(auc),
                float(ap),
                float(np.median(took)),
                len(common),
                difference,
                p,
            )
        )
    return sorted(rows, key=lambda row: -row.auc_roc)


def compared(runs: Runs) -> list[dict[str, Any]]:
    """Compare ours with the same algorithms elsewhere, on the same rows with the same seeds."""
    rows = []
    for algorithm in runs:
        for peer in NAMESAKES.get(algorithm.partition("(")[0], ()):
            if peer not in runs:
                continue
            row: dict[str, Any] = {"ours": algorithm, "theirs": peer}
            for metric in METRICS:
                row |= paired(runs[algorithm], runs[peer], metric)
            if row.get("sets"):
                rows.append(row)
    return rows


def paired(ours: dict[str, Any], theirs: dict[str, Any], metric: str) -> dict[str, Any]:
    """Mean difference in points over sets, with its standard errors: that of the seeds, that of the sets."""
    by_set = {}
    for name in ours.keys() & theirs.keys():
        both = [
            100 * (mine[metric] - theirs[name][seed][metric])
            for seed, mine in ours[name].items()
            if metric in mine and metric in theirs[name].get(seed, {})
        ]
        if both:
            by_set[name] = np.array(both)
    if not by_set:
        return {}
    means = np.array([values.mean() for values in by_set.values()])
    noise = [values.var(ddof=1) / len(values) if len(values) > 1 else math.nan for values in by_set.values()]
    least = min(by_set, key=lambda name: by_set[name].mean())
    return {
        "sets": len(means),
        metric: float(means.mean()),
        f"{metric}_by_seeds": float(np.sqrt(np.sum(noise)) / len(means)),
        f"{metric}_by_sets": float(means.std(ddof=1) / np.sqrt(len(means))) if len(means) > 1 else math.nan,
        f"{metric}_least": [least, float(by_set[least].mean())],
    }


def failures(runs: Runs) -> list[list[str]]:
    """List why which algorithm was not measured on which sets."""
    told: dict[tuple[str, str], list[str]] = defaultdict(list)
    for algorithm, by_set in runs.items():
        for name, by_seed in by_set.items():
            for reason in {run["failed"] for run in by_seed.values() if "failed" in run}:
                told[algorithm, reason].append(name.partition("_")[2] or name)
    return [[algorithm, reason, ", ".join(names)] for (algorithm, reason), names in told.items()]


def mean(by_seed: dict[int, dict[str, Any]] | None, metric: str) -> float | None:
    """Mean over seeds; None when a seed failed or there is none."""
    if not by_seed or any(metric not in run for run in by_seed.values()):
        return None
    return float(np.mean([run[metric] for run in by_seed.values()]))


def table(heads: Iterable[str], body: Iterable[Iterable[str]]) -> None:
    """Print a markdown table."""
    heads = list(heads)
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for cells in body:
        print(f"| {' | '.join(cells)} |")


def _wilcoxon(pairs: list[tuple[float, float]]) -> float:
    difference = np.array([a - b for a, b in pairs])
    if len(difference) < 2 or not difference.any():
        return math.nan
    return float(wilcoxon(difference).pvalue)


def _cells(row: Row) -> list[str]:
    compared = [f"{row.difference[m]:+.2f}|{_p(row.p[m])}" for m in METRICS] if row.common else ["–|–"] * 2
    parts = [part for pair in compared for part in pair.split("|")]
    means = [f"{row.auc_roc:.2f}", f"{row.average_precision:.2f}", f"{row.seconds:.2f}"]
    return [row.algorithm, str(row.sets), *means, str(row.common), *parts]


def _namesake(row: dict[str, Any]) -> list[str]:
    cells = [f"{row[m]:+.2f} ± {row[f'{m}_by_seeds']:.2f}, {row[f'{m}_by_sets']:.2f}" for m in METRICS]
    name, least = row["auc_roc_least"]
    return [
        row["ours"],
        row["theirs"],
        str(row["sets"]),
        *cells,
        f"{name.partition('_')[2] or name} {least:+.2f}",
    ]


def _without_nan(value: Any) -> Any:
    """Write what could not be computed as null, as JSON wants it."""
    if isinstance(value, dict):
        return {name: _without_nan(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _p(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3g}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _number(name: str) -> tuple[int, str]:
    first = name.partition("_")[0]
    return (int(first) if first.isdigit() else 0, name)
