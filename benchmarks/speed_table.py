"""What `speed.py` promises and prints: targets, and the comparisons as Markdown tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any]

HEAD = (
    "| algorithm | rows x columns | fit, s | fit + score, s | memory | AUC | peer: fit + score, s | its AUC "
    "| faster | by processor | target | |\n|" + "---|" * 12
)
NOTES = """
"fit, s": our `fit` alone, which scores the training rows too. "fit + score": both, of the same rows.
"memory": how far the peak rises above the matrix, in matrices. "AUC": AUC-ROC for the 1 % of rows that are
wider. "by processor": ratio of processor seconds, which other work on the machine and the number of threads
change little. *: neighbours were searched for {rows:,} random rows, and the time multiplied; all rows are
indexed.
"""

LARGE = 100_000
"""Memory is promised from so many rows on: what does not grow with them is not worth counting there."""


@dataclass(frozen=True)
class Target:
    """What is promised of an algorithm, on the sizes where `rows` and `columns` are these (None: any)."""

    algorithm: str
    peer: str
    times: float
    rows: int | None = None
    columns: int | None = None
    memory: float | None = None
    equal_auc: bool = False

    def covers(self, ours: Answer, peer: str) -> bool:
        """Tell whether the target is about this comparison."""
        size = (self.rows in (None, ours["rows"])) and self.columns in (None, ours["columns"])
        return size and ours["algorithm"] == self.algorithm and peer.startswith(self.peer)

    def __str__(self) -> str:
        """Say it in a few words."""
        texts = [f"{self.times:g}x", "equal AUC" if self.equal_auc else ""]
        texts.append(f"memory {self.memory:g}" if self.memory is not None else "")
        return ", ".join(text for text in texts if text)


MILLION = 1_000_000
TARGETS = (
    Target("isolation_forest", "sklearn.", 6, MILLION, 10),
    Target("isolation_forest", "pyod.", 12, MILLION, 10),
    Target("hbos", "pyod.", 12),
    Target("ecod", "pyod.", 8, memory=1.5),
    Target("copod", "pyod.", 8, memory=1.5),
    Target("elliptic_envelope", "sklearn.", 20, 100_000, 50, equal_auc=True),
    Target("knn", "sklearn.", 3, 100_000, 10),
    Target("knn", "sklearn.", 10, MILLION),
    Target("local_outlier_factor", "sklearn.", 3, 100_000, 10),
    Target("local_outlier_factor", "sklearn.", 10, MILLION),
)
SECONDS = {("auto", MILLION, 10): 20.0}
"""Promised without a peer."""

AUC_MARGIN = 0.005


def times(ours: Answer, peer: Answer, key: str = "seconds") -> float | None:
    """Say how many times faster ours is; at least so, if the peer was stopped; None: not known."""
    took = peer.get(key, peer.get("at_least") if key == "seconds" else None)
    return took / ours[key] if took is not None and key in ours else None


def verdict(ours: Answer, peer: Answer) -> tuple[str, str]:
    """Give the target of a comparison and whether it is reached; both empty where there is none."""
    found = [target for target in TARGETS if target.covers(ours, peer["side"])]
    if not found:
        return "", ""
    target, faster = found[0], times(ours, peer)
    if "seconds" not in ours:
        return str(target), "short"
    if faster is None or (faster < target.times and "at_least" in peer):
        return str(target), "not known"
    reached = faster >= target.times
    if target.memory is not None and ours["rows"] >= LARGE:
        reached &= ours["memory"] < target.memory
    if target.equal_auc:
        reached &= ours["auc"] >= peer.get("auc", 0.0) - AUC_MARGIN
    return str(target), "PASS" if reached else "short"


def lines(comparison: list[Answer]) -> Iterator[str]:
    """Write a comparison as rows of the table: one for each peer."""
    ours, *peers = comparison
    own = [ours["algorithm"], f"{ours['rows']:,} x {ours['columns']}", _seconds(ours, "fit"), _seconds(ours)]
    own += [
        f"{ours['memory']:.2f}" if "memory" in ours else "",
        f"{ours['auc']:.4f}" if "auc" in ours else "",
    ]
    if not peers:
        most = SECONDS.get((ours["algorithm"], ours["rows"], ours["columns"]))
        reached = "" if most is None else "PASS" if ours.get("seconds", most) < most else "short"
        yield _row([*own, "", "", "", "", "" if most is None else f"{most:g} s", reached])
    for peer in peers:
        ratios = [_ratio(peer, times(ours, peer, key)) for key in ("seconds", "processor")]
        quality = f"{peer['auc']:.4f}" if "auc" in peer else ""
        yield _row([*own, f"{peer['side']} {_seconds(peer)}", quality, *ratios, *verdict(ours, peer)])


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _ratio(peer: Answer, ratio: float | None) -> str:
    return "" if ratio is None else f"{'> ' if 'at_least' in peer else ''}{ratio:.1f}x"


def _seconds(answer: Answer, key: str = "seconds") -> str:
    if key not in answer:
        return f"({answer['skipped']})" if key == "seconds" else ""
    return f"{answer[key]:.4g}" + ("*" if answer.get("share") else "")
