"""The job that finds the anomalies of a dataset: train if needed, score, explain, write the ranked rows."""

from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from pynomaly.errors import NotFound
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import new_id, utc_now
from pynomaly.server.detections import cost
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.service import DETECT
from pynomaly.server.detectors.models import Detector, Model
from pynomaly.server.detectors.service import add_model, ways
from pynomaly.server.detectors.tasks import training
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context, Task


def prepare(session: Session, job: Job, context: Context) -> dict[str, Any]:
    """Look up the dataset, and the model or what to train one with."""
    detection = _subject(session, job)
    dataset = session.get(Dataset, detection.dataset_id)
    if dataset is None or dataset.blob_key is None:
        raise NotFound("The dataset is gone.")
    payload = training(detection, dataset, context)
    payload["result"] = str(context.storage.temp(".parquet"))
    payload["max_explained"] = context.settings.max_explained_rows
    payload["trained"] = None
    payload["ways"] = ways(detection) if detection.threshold is None else {"value": detection.threshold}
    if detection.model_id is not None:
        model = session.get(Model, detection.model_id)
        if model is None:
            raise NotFound("The model is gone.")
        payload["trained"] = str(context.storage.open_path(model.blob_key))
    return payload


def finish(session: Session, job: Job, result: dict[str, Any], context: Context) -> None:
    """Put the ranked rows in place, and the model when one was trained; record what was found."""
    detection = _subject(session, job)
    if result["model"] is not None:
        detection.model_id = _keep_model(session, detection, result, context).id
    detection.blob_key = f"results/{detection.id}/{new_id()}.parquet"
    context.storage.adopt(Path(result["result"]), detection.blob_key)
    for field, value in result["fields"].items():
        setattr(detection, field, value)
    detection.seconds, detection.peak_mib = cost.of(detection.metrics or {})
    detection.stored_status = "completed"
    detection.finished_at = utc_now()


def _keep_model(session: Session, detection: Detection, result: dict[str, Any], context: Context) -> Model:
    return add_model(
        session,
        context.storage,
        Path(result["model"]),
        owner_id=detection.owner_id,
        detector=_detector(session, detection),
        dataset_id=detection.dataset_id,
        described=result["described"],
    )


def fail(session: Session, job: Job, code: str, detail: str, _context: Context) -> None:
    """Say why there is no result; a detector that was to be trained by this job failed with it."""
    detection = session.get(Detection, job.subject_id)
    if detection is None:
        return
    detection.stored_status = "cancelled" if code == "cancelled" else "failed"
    detection.error_code, detection.error_detail = code, detail
    detection.finished_at = utc_now()
    detector = _detector(session, detection)
    if detector is not None and detector.job_id == job.id and detector.status == "training":
        detector.status, detector.error_code, detector.error_detail = "failed", code, detail


def _detector(session: Session, detection: Detection) -> Detector | None:
    if detection.detector_id is None:
        return None
    return session.get(Detector, detection.detector_id, with_for_update=True)


def _subject(session: Session, job: Job) -> Detection:
    detection = session.get(Detection, job.subject_id)
    if detection is None:
        raise NotFound("The detection is gone.")
    return detection


TASK = Task(DETECT, prepare, "pynomaly.server.detections.work:run", finish, fail)
