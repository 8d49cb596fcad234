"""What depends on datasets and detectors: results, which only the features above know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from pynomaly.errors import Conflict, NotReady
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User


@dataclass(frozen=True, slots=True)
class Judged:
    """A detector's result of which something tells how good it is: labels, or what people said."""

    id: str
    name: str
    at: datetime
    version: int | None
    auc_roc: float | None
    average_precision: float | None
    confirmed: int
    """Rows that people called anomalies."""
    refuted: int
    """Rows that people called normal."""

    @property
    def confirmed_share(self) -> float | None:
        """Share of the judged rows that are anomalies."""
        judged = self.confirmed + self.refuted
        return self.confirmed / judged if judged else None


@dataclass(frozen=True, slots=True)
class Trained:
    """A detector of which at least one version was trained on a dataset; `version` is the latest such."""

    id: str
    name: str
    algorithm: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A result of a dataset."""

    id: str
    name: str
    algorithm: str
    status: str
    n_anomalies: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Lineage:
    """What was made of a dataset, as far as somebody sees it: the newest of each, and how many in all."""

    detectors: Sequence[Trained]
    n_detectors: int
    results: Sequence[Made]
    n_results: int


class Results(Protocol):
    """All results of one dataset or one detector, whoever they belong to."""

    def count(
        self, session: Session, *, dataset_id: str | None = None, detector_id: str | None = None
    ) -> int:
        """Count them."""

    def count_running(
        self, session: Session, *, dataset_id: str | None = None, detector_id: str | None = None
    ) -> int:
        """Count those whose job is not done."""

    def judged(self, session: Session, actor: User, detector_id: str) -> list[Judged]:
        """A detector's latest results of which something tells how good they are, oldest first."""

    def lineage(self, session: Session, actor: User, dataset_id: str) -> Lineage:
        """Tell what was made of a dataset, of what the actor sees."""

    def delete(
        self,
        session: Session,
        storage: LocalStorage,
        *,
        dataset_id: str | None = None,
        detector_id: str | None = None,
    ) -> None:
        """Delete them with their files."""


def clear(
    session: Session,
    storage: LocalStorage,
    results: Results,
    name: str,
    *,
    cascade: bool,
    dataset_id: str | None = None,
    detector_id: str | None = None,
) -> int:
    """Delete the results of a thing, if that is wanted; gives how many there were.

    Raises:
        NotReady: jobs are working on some.
        Conflict: there are some, and they are not to be deleted.
    """
    if running := results.count_running(session, dataset_id=dataset_id, detector_id=detector_id):
        raise NotReady(f"{_jobs(running)} with {name!r}: wait, or cancel first.", jobs=running)
    found = results.count(session, dataset_id=dataset_id, detector_id=detector_id)
    if found and not cascade:
        depend = "1 result depends" if found == 1 else f"{found} results depend"
        raise Conflict(f"{depend} on {name!r}; ?cascade=true deletes them too.", results=found)
    if found:
        results.delete(session, storage, dataset_id=dataset_id, detector_id=detector_id)
    return found


def _jobs(count: int) -> str:
    return "1 detection works" if count == 1 else f"{count} detections work"
