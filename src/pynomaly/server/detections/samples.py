"""Sample tables: one call makes a dataset of one and has its anomalies found."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from pynomaly.detection.catalogue import DEFAULT, check_parameters
from pynomaly.errors import BadValue
from pynomaly.server.access import require
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import new_id
from pynomaly.server.detections.models import Detection
from pynomaly.server.jobs.queue import prepare
from pynomaly.server.names import check_name
from pynomaly.server.users.models import User

LOAD = "dataset.sample"


@dataclass(frozen=True, slots=True)
class Sample:
    """What is known of a sample table before it is made: `left_out` are answers that nobody would have.

    `contamination` is the share to flag where no row stands out by itself; None: those that do.
    """

    name: str
    n_rows: int
    n_columns: int
    label_column: str
    left_out: tuple[str, ...] = ()
    contamination: float | None = None


SAMPLES = {
    sample.name: sample
    for sample in (
        Sample("payments", 5_000, 13, "is_fraud", ("fraud_kind",)),
        Sample("breast_cancer", 378, 31, "is_anomaly", contamination=0.05),
        Sample("wine", 129, 14, "is_anomaly", contamination=0.05),
    )
}
"""Those of `pynomaly.samples` that are offered; that module makes them, with numeric libraries, in a job."""


def start(session: Session, actor: User, name: str, title: str) -> Detection:
    """Enqueue the job that makes a sample table a dataset called `title`, and then looks for its anomalies.

    The detection waits with that job; when the table is read it goes on with a job of its own.

    Raises:
        BadValue: there is no such sample.
        Forbidden: the actor may only look.
    """
    require(actor, "datasets:write")
    require(actor, "detections:write")
    sample = SAMPLES.get(name)
    if sample is None:
        raise BadValue(f"There is no sample table of this name; there are: {', '.join(SAMPLES)}.")
    dataset = Dataset(
        id=new_id(),
        owner_id=actor.id,
        name=check_name(title),
        filename=f"{name}.csv",
        label_column=sample.label_column,
        size_bytes=0,
    )
    detection = Detection(
        id=new_id(),
        owner_id=actor.id,
        dataset=dataset,
        algorithm=DEFAULT,
        parameters=check_parameters(DEFAULT, {}),
        contamination=sample.contamination,
    )
    payload = {"sample": name, "detection": detection.id}
    job = prepare(session, LOAD, payload, owner_id=actor.id, subject_id=dataset.id, priority=1)
    dataset.job = detection.job = job
    session.add_all((dataset, detection))
    session.flush()
    return detection
