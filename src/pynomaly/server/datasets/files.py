"""A dataset as a file: the one that was uploaded, or the table that was read from it."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from pynomaly.errors import Conflict, OutOfMemory, TableTooLarge
from pynomaly.server import process
from pynomaly.server.access import find
from pynomaly.server.datasets import service
from pynomaly.server.datasets.models import Dataset
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User
from pynomaly.server.written import MEDIA_TYPES, Form
from pynomaly.settings import Settings

UPLOADED: Mapping[str, str] = {
    "csv": "text/csv",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "excel": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What HTTP calls a format; compressed files, and those that are not read yet, are just bytes."""


@dataclass(frozen=True, slots=True)
class Original:
    """The file that was uploaded, byte for byte."""

    path: Path
    filename: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Export:
    """A table to be written as a file; `write` needs no transaction."""

    source: Path
    columns: list[str]
    form: Form
    filename: str

    @property
    def media_type(self) -> str:
        """What HTTP calls the format."""
        return MEDIA_TYPES[self.form]

    def write(self, storage: LocalStorage, settings: Settings) -> Path:
        """Write all rows to a temporary file; whoever takes it deletes it.

        Raises:
            TableTooLarge: that needs more memory or disk than a job may use.
            Busy: too many are being written.
        """
        folder, target = storage.temp(), storage.temp(f".{self.form}")
        folder.mkdir()
        payload = {
            "source": str(self.source),
            "target": str(folder / target.name),
            "columns": self.columns,
            "form": self.form,
            "memory_mib": settings.job_memory_mib // 2,
        }
        try:
            process.run(
                "pynomaly.server.datasets.export:run",
                payload,
                memory_mib=settings.job_memory_mib,
                timeout_seconds=settings.job_timeout_seconds,
            )
            return (folder / target.name).replace(target)
        except OutOfMemory as error:
            raise TableTooLarge(error.message) from error
        finally:
            shutil.rmtree(folder)


def original(session: Session, actor: User, storage: LocalStorage, id_: str) -> Original:
    """Find the uploaded file; raises Conflict when it was not kept."""
    dataset = find(session, actor, Dataset, id_)
    if dataset.source_key is None:
        raise Conflict(
            f"The uploaded file of {dataset.name!r} was not kept: download the table as csv or parquet."
        )
    found = dataset.dialect or {}
    kind = "" if found.get("compression") else UPLOADED.get(found.get("format", ""), "")
    path = storage.open_path(dataset.source_key)
    return Original(path, dataset.filename, kind or "application/octet-stream")


def export(session: Session, actor: User, storage: LocalStorage, id_: str, form: Form) -> Export:
    """Look up what an export needs; raises NotReady when the dataset is not read."""
    dataset = service.get_ready(session, actor, id_, "view")
    stem = re.sub(r'[\\/:*?"<>|]+', "-", dataset.name)
    columns = [column["name"] for column in dataset.columns]
    return Export(storage.open_path(str(dataset.blob_key)), columns, form, f"{stem}.{form}")
