"""The job that trains a detector on a dataset and keeps the model."""

from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.orm import Session

from pynomaly.errors import NotFound
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.detectors.models import Detector
from pynomaly.server.detectors.service import TRAIN, add_model, ways
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.tasks import Context, Task
from pynomaly.server.secret import derive
from pynomaly.settings import Settings


class Recipe(Protocol):
    """What makes a detector; a row of detectors or of detections."""

    algorithm: Any
    parameters: Any
    columns: Any
    contamination: Any
    max_alerts: Any
    fdr: Any
    quantile: Any
    seed: Any


def model_key(settings: Settings) -> bytes:
    """The key that signs this installation's model files."""
    return derive(settings, "models")


def training(recipe: Recipe, dataset: Dataset, context: Context) -> dict[str, Any]:
    """Describe for the child what to train on and how."""
    return {
        "table": str(context.storage.open_path(str(dataset.blob_key))),
        "memory_mib": context.settings.job_memory_mib // 4,
        "label_column": dataset.label_column,
        "key": model_key(context.settings).hex(),
        "model": str(context.storage.temp(".pynomaly")),
        "recipe": {
            "algorithm": recipe.algorithm,
            "parameters": recipe.parameters,
            "columns": recipe.columns,
            "seed": recipe.seed,
            **ways(recipe),
        },
    }


def prepare(session: Session, job: Job, context: Context) -> dict[str, Any]:
    """Look up the detector and the dataset."""
    return training(_subject(session, job), _dataset(session, job), context)


def finish(session: Session, job: Job, result: dict[str, Any], context: Context) -> None:
    """Keep the model as the detector's next version."""
    detector = _subject(session, job)
    add_model(
        session,
        context.storage,
        Path(result["model"]),
        owner_id=detector.owner_id,
        detector=detector,
        dataset_id=_dataset(session, job).id,
        described=result["described"],
    )


def fail(session: Session, job: Job, code: str, detail: str, _context: Context) -> None:
    """Say why there is no new version; one that was trained before stays in use."""
    detector = session.get(Detector, job.subject_id)
    if detector is not None and detector.job_id == job.id:
        detector.status, detector.error_code, detector.error_detail = "failed", code, detail


def _subject(session: Session, job: Job) -> Detector:
    detector = session.get(Detector, job.subject_id, with_for_update=True)
    if detector is None:
        raise NotFound("The detector is gone.")
    return detector


def _dataset(session: Session, job: Job) -> Dataset:
    dataset = session.get(Dataset, job.payload["dataset_id"])
    if dataset is None or dataset.blob_key is None:
        raise NotFound("The dataset is gone.")
    return dataset


TASK = Task(TRAIN, prepare, "pynomaly.server.detectors.work:run", finish, fail)
