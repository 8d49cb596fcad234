"""Datasets: take an upload in, look datasets up, read their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session, defer, joinedload, undefer_group

from pynomaly.errors import NotReady, NoUsableColumns, SchemaMismatch, TableEmpty, TooFewRows
from pynomaly.server import paging, positions
from pynomaly.server.access import Need, find, require, visible
from pynomaly.server.datasets.checks import ChosenType, check_choice, check_types
from pynomaly.server.datasets.models import Dataset, DatasetStatus
from pynomaly.server.datasets.values import values_between
from pynomaly.server.db import new_id
from pynomaly.server.jobs.queue import enqueue
from pynomaly.server.names import check_column, check_name, name_from, plain_filename
from pynomaly.server.storage import LocalStorage
from pynomaly.server.users.models import User

INGEST = "dataset.ingest"
LOOK = "dataset.preview"
DETAILS = (joinedload(Dataset.job), undefer_group("details"))
SORTS = paging.Sorts(
    Dataset.id,
    {
        "created_at": Dataset.created_at,
        "name": func.lower(Dataset.name),
        "n_rows": func.coalesce(Dataset.n_rows, 0),
        "size_bytes": Dataset.size_bytes,
        "n_columns": func.coalesce(Dataset.n_columns, 0),
    },
)


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One row of a dataset: its 0-based number, and its values by column."""

    row: int
    values: dict[str, Any]


def create(
    session: Session,
    actor: User,
    storage: LocalStorage,
    temp_path: Path,
    filename: str,
    name: str | None = None,
    label_column: str | None = None,
    types: Mapping[str, ChosenType] | None = None,
    choice: Mapping[str, Any] | None = None,
    preview: bool = False,
) -> Dataset:
    """Take over an uploaded file and enqueue the job that reads it; the dataset is `processing` until then.

    `types` says as what some columns are to be read, whatever they look like, and `choice` how the file is
    written. With `preview` the job only looks at its beginning: the dataset is `uploaded` until `imports`
    is told to read it.

    Raises:
        TableEmpty: the file has no bytes.
        BadValue: the name, the label column or a type cannot be stored.
        Forbidden: the actor may only look.
    """
    require(actor, "datasets:write")
    wishes = {
        "name": name,
        "label_column": label_column,
        "types": types,
        "choice": choice,
        "preview": preview,
    }
    filename, wishes = check_wishes(filename, wishes)
    key, size = f"uploads/{new_id()}", temp_path.stat().st_size
    if size == 0:
        raise TableEmpty(f"The file {filename!r} is empty.")
    storage.adopt(temp_path, key)  # before the first statement, which takes SQLite's write lock
    return add(session, actor.id, key, size, filename, wishes)


def check_wishes(filename: str, wishes: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Check what somebody says of a file before it is here; gives its plain name and what to keep.

    Raises:
        BadValue: the name, the label column, a type or the dialect cannot be stored.
    """
    filename = plain_filename(filename)
    name, label_column = wishes.get("name"), wishes.get("label_column")
    return filename, {
        "name": check_name(name if name and name.strip() else name_from(filename)),
        "label_column": check_column(label_column, "label_column") if label_column else None,
        "types": check_types(wishes.get("types") or {}),
        "choice": check_choice(wishes.get("choice") or {}),
        "preview": bool(wishes.get("preview")),
    }


def add(
    session: Session, owner_id: str, key: str, size: int, filename: str, wishes: Mapping[str, Any]
) -> Dataset:
    """Add a dataset whose file is stored already as `key`, and the job that reads it or looks at it."""
    preview = wishes["preview"]
    dataset = Dataset(
        id=new_id(),
        owner_id=owner_id,
        filename=filename,
        name=wishes["name"],
        label_column=wishes["label_column"],
        types=wishes["types"],
        choice=wishes["choice"],
        size_bytes=size,
        source_key=key,
        status="uploaded" if preview else "processing",
    )
    kind = LOOK if preview else INGEST
    dataset.job = enqueue(session, kind, {}, owner_id=owner_id, subject_id=dataset.id, priority=1)
    session.add(dataset)
    session.flush()
    return dataset


def get(session: Session, actor: User, id_: str, *, need: Need = "view", lock: bool = False) -> Dataset:
    """Return one dataset with its profile, its rejected cells and its job."""
    return find(session, actor, Dataset, id_, *DETAILS, need=need, lock=lock)


def get_ready(session: Session, actor: User, id_: str, need: Need = "use") -> Dataset:
    """Return one dataset that is read and that the actor may use (or `need`).

    Raises:
        NotReady: it is still being read, was cancelled, or could not be read.
    """
    dataset = find(session, actor, Dataset, id_, need=need)
    if dataset.status != "ready":
        raise NotReady(f"The dataset {dataset.name!r} {_why_not(dataset)}.", status=dataset.status)
    return dataset


def _why_not(dataset: Dataset) -> str:
    if dataset.status == "processing":
        return "is still being read"
    if dataset.status == "uploaded":
        return "is not imported yet"
    return "was cancelled" if dataset.error_code == "cancelled" else "could not be read"


def list_page(
    session: Session,
    actor: User,
    cursor: str | None = None,
    limit: int = 50,
    sort: str = "-created_at",
    *,
    status: DatasetStatus | None = None,
    name: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[list[Dataset], str | None]:
    """List datasets; returns them and the next page's cursor (None: it is the last).

    Only those of a status, with a text in their name (in any case), made at or after `since`, before `until`.
    """
    query = visible(actor, Dataset).options(joinedload(Dataset.job), defer(Dataset.columns))
    if status is not None:
        query = query.where(Dataset.status == status)
    if name is not None:
        query = query.where(Dataset.name.icontains(name, autoescape=True))
    if since is not None:
        query = query.where(Dataset.created_at >= since)
    if until is not None:
        query = query.where(Dataset.created_at < until)
    page = paging.page(session, query, SORTS, sort, cursor, limit)
    return page.items, page.next_cursor


def rows(
    session: Session,
    actor: User,
    storage: LocalStorage,
    id_: str,
    cursor: str | None = None,
    limit: int = 50,
    columns: Sequence[str] | None = None,
) -> tuple[list[DatasetRow], str | None]:
    """Read one page of rows in file order; returns them and the cursor of the next page.

    `columns` names those to read; None: all.
    """
    dataset = get_ready(session, actor, id_, "view")
    start = positions.decode(cursor, "row")
    total = dataset.n_rows or 0
    path = storage.open_path(str(dataset.blob_key))
    limit = min(positions.check_limit(limit), max(total - start, 0))
    names = [column["name"] for column in dataset.columns] if columns is None else list(columns)
    found = values_between(path, names, start, limit) if limit else []
    items = [DatasetRow(start + i, values) for i, values in enumerate(found)]
    end = start + limit
    return items, positions.encode("row", end) if limit and end < total else None


def check_usable(dataset: Dataset, columns: list[str] | None) -> None:
    """Check that a detector can be trained on these columns of a dataset (None: all not marked as unused).

    Raises:
        TooFewRows: there are not two rows to compare.
        SchemaMismatch: the dataset lacks some, which are named; or one is the label column.
        NoUsableColumns: nothing is left to compare rows by.
    """
    known = {column["name"]: column for column in dataset.columns}
    if missing := [name for name in columns or () if name not in known]:
        listed = ", ".join(map(repr, missing[:10]))
        raise SchemaMismatch(f"The dataset {dataset.name!r} has no column {listed}.", missing=missing)
    if dataset.label_column in (columns or ()):
        raise SchemaMismatch(
            f"Column {dataset.label_column!r} holds the labels: it cannot be used for detection."
        )
    chosen = [known[name] for name in columns or known if name != dataset.label_column]
    if (dataset.n_rows or 0) < 2:
        raise TooFewRows(f"Detection compares at least 2 rows: {dataset.name!r} has {dataset.n_rows}.")
    if not any(column["unused"] is None or (columns and column["type"] == "id") for column in chosen):
        why = "; ".join(f"{c['name']!r}: {c['unused']}" for c in chosen[:10])
        raise NoUsableColumns(f"The dataset {dataset.name!r} has no column that detection can use ({why}).")
