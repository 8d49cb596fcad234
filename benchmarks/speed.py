"""Times fit + score of our algorithms beside scikit-learn's and PyOD's, on matrices of several sizes.

Prints a Markdown table with the targets, what one row costs, and one JSON line. Peers get the same matrix and
the same parameters, each side in a child of its own, one after the other. A side first runs on 2,000 rows, so
that imports and compilation are not timed; then its time is the best of up to five. A side that takes over
--limit seconds, or would, judged by the smaller sizes, is left out, and the table says so.

In parts: with --keep FILE, what the file holds is not measured again, what is measured is added to it.
"""

import argparse
import json
import os
import platform
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

from children import run_all
from speed_more import one_row, through_library
from speed_runs import MEMORY_MIB, Runs, Task
from speed_sides import NAMES, SHARE_ROWS
from speed_table import HEAD, NOTES, lines

from pynomaly.detection.algorithms.threads import thread_count

SIZES = "10000x10,100000x10,1000000x10,10000x50,100000x50,1000000x50"
KEYS = [field.name for field in fields(Task)]


def compare(names: list[str], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run and print all comparisons."""
    runs = Runs(names, sizes(options.sizes), options.limit, kept(options.keep))
    table: list[dict[str, Any]] = []
    print(HEAD)
    for comparison in runs.run():
        print(*lines(comparison), sep="\n", flush=True)
        table += comparison
        if options.keep:
            keep(options.keep, runs)
    print(NOTES.format(rows=SHARE_ROWS))
    return table


def sizes(text: str) -> list[tuple[int, int]]:
    """Read `10000x10,100000x50`."""
    return [(int(rows), int(columns)) for rows, columns in (size.split("x") for size in text.split(","))]


def kept(file: Path | None) -> dict[Task, dict[str, Any]]:
    """Read what was measured before."""
    if file is None or not file.exists():
        return {}
    answers = [json.loads(line) for line in file.read_text().splitlines()]
    return {Task(*(answer.pop(key) for key in KEYS)): answer for answer in answers}


def keep(file: Path, runs: Runs) -> None:
    """Write all that was measured, one JSON line for a side."""
    made = [json.dumps(vars(task) | answer) + "\n" for task, answer in runs.found.items()]
    file.write_text("".join(made))


def aside(work: Any, *arguments: Any) -> dict[str, Any]:
    """Call `work` in a child: nothing that it loads or starts stays."""
    (_, answer), *_ = run_all(lambda given: work(*given), iter([arguments]), 1, 36_000.0, MEMORY_MIB)
    return answer


def say(title: str, figures: dict[str, Any]) -> None:
    """Print some figures on a line."""
    told = ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in figures.items())
    print(f"{title}: {told}\n", flush=True)


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help="only these algorithms")
    parser.add_argument("--sizes", default=SIZES, help="rows x columns, with commas between them")
    parser.add_argument("--limit", type=float, default=180.0, help="seconds that a side may take")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="add to, and use, what this file holds")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = options.only or list(NAMES)
    table = compare(names, options)
    more = {"one_row_us": aside(one_row, names)}
    say("One row, microseconds (target: a forest's row explained in under 1,000)", more["one_row_us"])
    most = max(rows for rows, _ in sizes(options.sizes))
    for name in ("isolation_forest", "auto"):
        if name in names:
            more[f"Detector {name}"] = aside(through_library, name, most)
            say(f"Through pynomaly.Detector, {name}, {most:,} x 10, seconds", more[f"Detector {name}"])
    machine = {"threads": thread_count(), "cpus": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"benchmark": "speed", "machine": machine, "table": table, **more}))


if __name__ == "__main__":
    main()
