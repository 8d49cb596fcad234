"""What differs between versions, in words for people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pynomaly.detection.catalogue import CATALOGUE
from pynomaly.server.detectors.versions import Change
from pynomaly.server.web import formats, forms
from pynomaly.server.web.language import gettext as _

LONGEST = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs, as text."""

    label: str
    before: str
    after: str


def told(changes: Iterable[Change], datasets: Mapping[str, str]) -> list[Difference]:
    """Put changes into words; `datasets` are the names of those that the reader may see, by id."""
    return [
        Difference(
            _label(one.name), _text(one.name, one.before, datasets), _text(one.name, one.after, datasets)
        )
        for one in changes
    ]


def in_short(changes: Iterable[Change], datasets: Mapping[str, str]) -> list[Difference]:
    """The same for a line of a list: another algorithm has other parameters, which is no news."""
    listed = list(changes)
    if any(one.name == "algorithm" for one in listed):
        listed = [one for one in listed if not one.name.startswith("parameters.")]
    return told(listed, datasets)


def columns(changes: Iterable[Change]) -> list[Difference]:
    """Put changed columns into words: their names stay as they are."""
    return [Difference(one.name, formats.value(one.before), formats.value(one.after)) for one in changes]


def _label(name: str) -> str:
    if name.startswith("parameters."):
        return forms.label(name.removeprefix("parameters."))
    words = {
        "algorithm": _("Algorithm"),
        "columns": _("Columns"),
        "seed": _("Seed"),
        "dataset_id": _("Training data"),
        "threshold": _("Threshold when trained"),
        "estimated_contamination": _("Training rows that stand out"),
        "notes": _("Notes"),
        "metrics.rows": _("Training rows"),
        "metrics.seconds": _("Training time"),
        "metrics.bytes": _("Size of the model"),
        "metrics.auc_roc": _("Area under the ROC curve"),
        "metrics.average_precision": _("Average precision"),
    }
    return words.get(name, name.removeprefix("metrics."))


def _text(name: str, value: Any, datasets: Mapping[str, str]) -> str:
    if name == "dataset_id":
        return datasets.get(value, _("deleted or not shared")) if value else _("none (imported)")
    if name == "columns" and value is None:
        return _("all that can be used")
    if value is None:
        return formats.MISSING
    if name == "algorithm" and value in CATALOGUE:
        return CATALOGUE[value].title
    if name == "estimated_contamination":
        return formats.percent(value)
    if name == "metrics.seconds":
        return formats.duration(value)
    if name == "metrics.bytes":
        return formats.size(value)
    if name == "metrics.rows":
        return formats.count(value)
    if isinstance(value, float):
        return formats.number(value)
    text = ", ".join(map(str, value)) if isinstance(value, list) else formats.value(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
