"""Measuring: wall time of commands, memory of process trees, and tables that end in one JSON line."""

import json
import statistics
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psutil

MIB = 1024 * 1024


def median_seconds(command: Sequence[str], runs: int = 7) -> float:
    """Run a command once to warm up, then `runs` times; return the median wall time in seconds."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def pss_mib(pids: Iterable[int]) -> float:
    """Sum the proportional set size of processes, in MiB; those that have gone count nothing."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def descendants(pid: int) -> list[psutil.Process]:
    """List a process's children, their children, and so on."""
    return psutil.Process(pid).children(recursive=True)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def report(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print rows as an aligned table, then as one JSON line."""
    print(f"\n{title}")
    if rows:
        texts = [[_text(row.get(key)) for key in rows[0]] for row in rows]
        widths = [max(len(text) for text in column) for column in zip(list(rows[0]), *texts, strict=True)]
        for line in [list(rows[0]), *texts]:
            print(
                "  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
            )
    print(json.dumps({"benchmark": title, "rows": rows}))


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
