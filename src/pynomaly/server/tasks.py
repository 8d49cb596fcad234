"""Every kind of job that this server runs, and every stored file that a row names."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from pynomaly.server.admin import audit_log
from pynomaly.server.datasets import uploads
from pynomaly.server.datasets.models import Dataset, Upload
from pynomaly.server.datasets.preview_tasks import TASK as LOOK
from pynomaly.server.datasets.tasks import TASK as INGEST
from pynomaly.server.detections import previews
from pynomaly.server.detections.batch import BATCH
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.preview_tasks import TASK as PREVIEW
from pynomaly.server.detections.sample_tasks import TASK as SAMPLE
from pynomaly.server.detections.tasks import TASK as DETECT
from pynomaly.server.detectors.models import Model
from pynomaly.server.detectors.tasks import TASK as TRAIN
from pynomaly.server.jobs import presence
from pynomaly.server.jobs.sweep import Sweep
from pynomaly.server.jobs.tasks import Task
from pynomaly.server.users import resets

TASKS: dict[str, Task] = {task.kind: task for task in (LOOK, INGEST, SAMPLE, TRAIN, DETECT, PREVIEW)}
KINDS: frozenset[str] = frozenset({*TASKS, BATCH})
"""Kinds of all jobs; a batch is made of other jobs and is nobody's task."""
SWEEPS: tuple[Sweep, ...] = (audit_log.sweep, resets.sweep, previews.sweep, presence.sweep, uploads.sweep)
"""What deletes old rows, every ten minutes."""


def keys_in_use(session: Session) -> set[str]:
    """List the storage keys that rows name: whatever else is stored may be swept."""
    columns = (Dataset.source_key, Dataset.blob_key, Upload.key, Model.blob_key, Detection.blob_key)
    return {
        key for column in columns for key in session.scalars(select(column).where(column.is_not(None))) if key
    }
