"""Name results, write remarks on them, delete them."""

from sqlalchemy.orm import Session

from pynomaly.errors import BadValue, Conflict
from pynomaly.server import audit
from pynomaly.server.access import find, require
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.removal import delete as remove
from pynomaly.server.detections.service import WITH_ALL
from pynomaly.server.jobs.models import Job
from pynomaly.server.names import check_name
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User

MOST_REMARKS = 10_000


def locked(session: Session, actor: User, id_: str) -> Detection:
    """Return one's own result with its job, both locked: the job first, as a worker does that ends it."""
    require(actor, "detections:write")
    found = find(session, actor, Detection, id_, need="own")
    if found.job_id is not None:
        session.get(Job, found.job_id, with_for_update=True, populate_existing=True)
    return find(session, actor, Detection, id_, *WITH_ALL, need="own", lock=True)


def update(
    session: Session, detection: Detection, *, name: str | None = None, remarks: str | None = None
) -> None:
    """Change what a person calls a locked result and says of it; None: as it is, "": nothing.

    Raises:
        BadValue: the name or the remarks cannot be stored.
    """
    if name is not None:
        detection.name = check_name(name) if name.strip() else ""
    if remarks is not None:
        if len(remarks) > MOST_REMARKS or "\x00" in remarks:
            raise BadValue(
                f"Remarks have at most {MOST_REMARKS:,} characters, and no NUL.", pointer="#/remarks"
            )
        detection.remarks = remarks.strip()
    session.flush()


def delete(session: Session, actor: User, storage: LocalStorage, detection: Detection) -> None:
    """Delete a locked result with its files; a detector's model stays.

    Raises:
        Conflict: its job is not done.
    """
    if detection.job is not None and not detection.job.finished:
        raise Conflict("The detection is not done: cancel its job first.", job_id=detection.job_id)
    audit.record(
        session,
        actor,
        "detection.delete",
        detection,
        dataset_id=detection.dataset_id,
        n_anomalies=detection.n_anomalies,
    )
    remove(session, storage, detection)
