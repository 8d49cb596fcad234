"""Times fit + score of our algorithms beside scikit-learn's and PyOD's: `python benchmarks/speed.py
[--quick] [--long] [--only NAME …]`.

Prints a table and one JSON line. Peers get the same matrix and the same parameters, each side in a child of
its own, nothing else at work. A side first runs on 2,000 rows, so that imports and compilation are not
timed; then its time is the best of up to five. "fit+score" scores the training matrix once more after `fit`;
"detect" is what `pynomaly.detect` needs, since our `fit` has scored the training rows already. "memory" is
the peak of the memory that fit + score takes beyond the matrix, in matrices. A side that would take over
--limit seconds, judged by the smaller sizes, is left out, and the table says so; --long gives all sides of
k-NN and LOF the time that they need at 1,000,000 x 10.
"""

import argparse
import json
import os
import platform
import warnings
from typing import Any

from children import run_all
from speed_more import approximate_search, one_row, through_library
from speed_runs import MEMORY_MIB, Runs
from speed_sides import NAMES, OURS, TRAINING, sides

from pynomaly.detection.algorithms.threads import thread_count
from pynomaly.detection.catalogue import CATALOGUE

SIZES = [(rows, columns) for columns in (10, 50) for rows in (10_000, 100_000, 1_000_000)]
LONG = ("local_outlier_factor", "knn")


def show(comparison: list[dict[str, Any]]) -> None:
    """Print one comparison as a line, times in seconds."""
    by_side = {row["side"]: row for row in comparison}
    first = comparison[0]
    texts = [f"{first['algorithm']:21}{first['rows']:>9} x {first['columns']:<3}"]
    texts.append(
        f"{_time(by_side[TRAINING])} {_time(by_side[OURS])} {first.get('memory', float('nan')):>7.2f} "
    )
    for row in comparison[2:]:
        took = f"{_time(row).strip()} ({row['times']:.1f}x)" if "times" in row else f"({row['skipped']})"
        texts.append(f" {row['side']} {took} ")
    print("".join(texts), flush=True)


def _time(row: dict[str, Any]) -> str:
    return f"{row['seconds']:>9.4f}" if "seconds" in row else f"{row['skipped']:>9}"


def compare(names: list[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run and print all comparisons."""
    sizes = SIZES[:1] if options.quick else SIZES
    free = {(n, side, 1_000_000, 10) for n in LONG for side in sides(n)} if options.long else set()
    table: list[dict[str, Any]] = []
    print(f"{'seconds':21}{'rows x columns':>15}{'detect':>9} {'fit+score':>9} {'memory':>7}   peers (ratio)")
    for comparison in Runs(names, sizes, options.limit, frozenset(free)).run():
        show(comparison)
        table += comparison
    return table


def aside(work: Any, *arguments: Any) -> dict[str, Any]:
    """Call `work` in a child: nothing that it loads or starts stays."""
    (_, answer), *_ = run_all(lambda given: work(*given), iter([arguments]), 1, 36_000.0, MEMORY_MIB)
    return answer


def say(title: str, figures: dict[str, Any]) -> None:
    """Print some figures on a line."""
    told = ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in figures.items())
    print(f"{title}: {told}", flush=True)


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10,000 x 10 only")
    parser.add_argument("--long", action="store_true", help="no limit for neighbours at 1,000,000 x 10")
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help="only these algorithms")
    parser.add_argument("--limit", type=float, default=180.0, help="seconds that a side may take")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = [name for name in options.only or NAMES if name in CATALOGUE]
    table = compare(names, options)
    rows = 50_000 if options.quick else 1_000_000
    more = {"one_row_us": aside(one_row, names)}
    say("\none row, microseconds", more["one_row_us"])
    if "isolation_forest" in names:
        more["library"] = aside(through_library, rows)
        say("forest through pynomaly.Detector", more["library"])
    if set(LONG) <= set(names):
        more["approximate"] = aside(approximate_search, min(rows, 100_000), 10)
        say("approximate search of neighbours", more["approximate"])
    machine = {"threads": thread_count(), "cpus": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"benchmark": "speed", "machine": machine, "table": table, **more}))


if __name__ == "__main__":
    main()
