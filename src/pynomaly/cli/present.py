"""Results and catalogue as text for people, and as JSON."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from pynomaly.detection.entries.info import AlgorithmInfo

if TYPE_CHECKING:
    from pynomaly.detection.explain import Explainer
    from pynomaly.results import Anomaly, Result
    from pynomaly.tables import Reject


def json_text(value: Any) -> str:
    """Write JSON for standard output, escaping what its encoding may lack."""
    encoding = (sys.stdout.encoding or "ascii").lower().replace("-", "")
    return json.dumps(value, indent=2, ensure_ascii=encoding != "utf8", allow_nan=False)


def width() -> int | None:
    """How many characters a line has; None in a pipe, where lines are not broken."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def result_text(result: "Result", top: int) -> str:
    """Say in words what was found, then list the highest anomalies with their reasons."""
    shown = result.anomalies(top)
    lines = [headline(result), contamination(result), *accuracy(result)]
    if shown:
        lines += ["", *anomaly_lines(shown, result.model.explainer)]
    if (more := result.n_anomalies - len(shown)) > 0:
        lines += ["", f"{more:,} more; --top shows more, --output writes all rows."]
    return "\n".join(lines)


def headline(result: "Result") -> str:
    """Sum a result up in one sentence."""
    found = "no row is an anomaly"
    if result.n_anomalies:
        share = result.n_anomalies / result.n_rows
        plural = "y" if result.n_anomalies == 1 else "ies"
        found = f"{result.n_anomalies:,} anomal{plural} ({share:.2%})"
    rows = f"{result.n_rows:,} row{'' if result.n_rows == 1 else 's'}"
    return (
        f"{rows}: {found} by {result.algorithm}, score above {result.threshold:.4g}, {result.seconds:.2f} s"
    )


def contamination(result: "Result") -> str:
    """Say which share of the training rows stands out."""
    share = result.estimated_contamination
    text = f"{share:.2%} of the training rows stand out" if share else "no training row stands out"
    return f"Estimated contamination: {text}"


def accuracy(result: "Result") -> list[str]:
    """Say how well the scores agree with the labels, when there are any."""
    if not result.accuracy:
        return []
    auc, precision = result.accuracy["auc_roc"], result.accuracy["average_precision"]
    if auc is None or precision is None:
        return ["The labels are all alike, so accuracy cannot be measured."]
    return [f"Against the labels: AUC ROC {auc:.4f}, average precision {precision:.4f}"]


def anomaly_lines(anomalies: "Sequence[Anomaly]", explainer: "Explainer") -> Iterable[str]:
    """List anomalies as a table: row (from 0), score, p-value, and below each other what explains them."""
    wide = max(len("row"), *(len(f"{a.row}") for a in anomalies))
    yield f"{'row':>{wide}}  {'score':>8}  {'p-value':>8}  why"
    for anomaly in anomalies:
        start = f"{anomaly.row:>{wide}}  {anomaly.score:>8.4g}  {anomaly.p_value:>8.2g}  "
        told = [reason.text for reason in anomaly.reasons] or ["No column stands out."]
        closest = explainer.closest(anomaly.reasons, anomaly.nearest_normal)
        told.append(f"{closest[0].upper()}{closest[1:]}.")
        for text in told:
            yield from hanging(start, text)
            start = " " * len(start)


def hanging(start: str, text: str) -> list[str]:
    """Break a text to the terminal's width behind `start`, continuing below its own first word."""
    line = width()
    if line is None or line < len(start) + 20:
        return [start + text]
    return textwrap.wrap(text, line, initial_indent=start, subsequent_indent=" " * (len(start) + 2))


def rejects(count: int, first: "Sequence[Reject]") -> str:
    """Say in one line how many cells could not be read, with the first of them."""
    what = "1 cell or row" if count == 1 else f"{count:,} cells or rows"
    if not first:
        return f"{what} could not be read."
    one = first[0]
    line = "" if one.line is None else f" in line {one.line}"
    column = "" if one.column is None else f", column {one.column!r}"
    value = one.value if len(one.value) <= 40 else one.value[:39] + "…"
    return f"{what} could not be read; the first{line}{column}: {value!r} ({one.reason})."


def algorithms_text(entries: Iterable[AlgorithmInfo]) -> str:
    """Describe algorithms with their parameters, defaults, ranges and help."""
    return "\n\n".join("\n".join(algorithm_lines(entry)) for entry in entries)


def algorithm_lines(entry: AlgorithmInfo) -> Iterable[str]:
    """Describe one algorithm."""
    yield f"{entry.name}: {entry.title}"
    if not entry.available:
        yield f"  Not available here: {entry.install}"
    yield from hanging("  ", entry.summary)
    yield from hanging("  ", "; ".join(f"{name}: {tag_text(value)}" for name, value in entry.tags.items()))
    wide = max((len(parameter.name) for parameter in entry.parameters), default=0)
    for parameter in entry.parameters:
        default = str(parameter.default).lower() if parameter.type == "bool" else parameter.default
        text = f"{parameter.help} Values: {parameter.allowed()}. Default: {default}."
        yield from hanging(f"    {parameter.name:<{wide}}  ", text)


def tag_text(value: Any) -> str:
    """Write a tag's value."""
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
