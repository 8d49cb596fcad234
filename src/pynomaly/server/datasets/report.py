"""The validation report of a dataset: every cell that could not be read, with what to do about it."""

import csv
import io
from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from pynomaly.server.datasets import fixes, service
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.users.models import User

FIELDS = ("line", "column", "value", "reason", "fix", "corrected")


@dataclass(frozen=True, slots=True)
class Report:
    """A dataset's rejected cells (the first 1,000; `n_rejected` counts all), and how they group."""

    dataset: Dataset
    faults: list[fixes.Fault]
    groups: list[fixes.Group]


def report(session: Session, actor: User, id_: str) -> Report:
    """Make the report; of a dataset without rejected cells it is empty."""
    dataset = service.get(session, actor, id_)
    decimal = (dataset.dialect or {}).get("decimal") or dataset.choice.get("decimal")
    found = fixes.faults(dataset.rejects, decimal)
    return Report(dataset, found, fixes.groups(found))


def as_csv(found: Report) -> str:
    """Write it for a spreadsheet; what that would run as a formula gets an apostrophe in front."""
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS)
    writer.writeheader()
    for fault in found.faults:
        writer.writerow({name: _harmless(value) for name, value in asdict(fault).items()})
    return out.getvalue()


def _harmless(value: str | int | None) -> str | int | None:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
