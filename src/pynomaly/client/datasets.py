"""Datasets: upload tables, look at them, change them, download them, share them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any, Literal

from pynomaly.client.conversation import decoded
from pynomaly.client.flow import Flow, Pages, Progress, Upload
from pynomaly.client.jobs import OnJob, waited
from pynomaly.client.models import Dataset, Preview, Profile, Quality, Report, Row
from pynomaly.client.operation import (
    KEEP,
    D,
    HasId,
    Keep,
    Listing,
    Operation,
    at,
    given,
    only_if,
    parsed,
    read,
)
from pynomaly.client.sharing import Sharing

Sort = Literal[
    "created_at", "-created_at", "name", "-name", "n_rows", "-n_rows", "n_columns", "-n_columns",
    "size_bytes", "-size_bytes",
]  # fmt: skip


class Datasets(Sharing[D]):
    """`client.datasets`."""

    _path = "/datasets"

    @Operation
    def upload(
        self,
        file: str | PathLike[str],
        *,
        name: str | None = None,
        label_column: str | None = None,
        types: Mapping[str, str] | None = None,
        dialect: Mapping[str, Any] | None = None,
        preview: bool = False,
        progress: Progress | None = None,
        wait: bool = True,
        timeout: float | None = None,
        on_job: OnJob | None = None,
    ) -> Flow[Dataset]:
        """Upload a table straight from the disk, and wait until it is read.

        `types` says of columns what they are (`{"zip": "text"}`), `dialect` how a CSV file is written
        (`{"delimiter": ";", "decimal": ","}`); what it does not say is found out. With `preview` the server
        only looks at it, until `import_` says how to read it. `progress` is called with the bytes sent
        and the bytes in all (from the start again when the connection broke and the file is sent once
        more), `on_job` with the job that reads the table.

        Raises:
            FileMissing: the file cannot be read.
            JobFailed: the table cannot be read.
            WaitTimedOut: it was not read in `timeout` seconds; that goes on.
        """
        path = Path(file)
        fields = {
            "name": name,
            "label_column": label_column,
            "types": types and json.dumps(dict(types)),
            "dialect": dialect and json.dumps(dict(dialect)),
            "preview": "true" if preview else None,
        }
        upload = Upload(path, path.name, {key: text for key, text in fields.items() if text}, progress)
        reply = yield from self._send("POST", "/datasets/upload", upload=upload)
        begun = parsed(Dataset, decoded(reply), sparse=True)
        if wait and begun.job_id is not None:
            yield from waited(self._conversation, begun.job_id, timeout, on_job)
        return (yield from self._one(Dataset, "GET", f"/datasets/{at(begun)}"))

    @Operation
    def preview(self, dataset: HasId | str) -> Flow[Preview]:
        """Tell what the beginning of a file shows that was uploaded with `preview`.

        Raises:
            Conflict: nobody has looked yet, or it is read already.
        """
        return self._one(Preview, "GET", f"/datasets/{at(dataset)}/preview")

    @Operation
    def import_(
        self,
        dataset: HasId | str,
        *,
        name: str | Keep = KEEP,
        label_column: str | Keep | None = KEEP,
        types: Mapping[str, str] | Keep = KEEP,
        dialect: Mapping[str, Any] | Keep = KEEP,
        wait: bool = True,
        timeout: float | None = None,
        on_job: OnJob | None = None,
    ) -> Flow[Dataset]:
        """Read a file that was uploaded with `preview`, or could not be read before, and wait for it.

        Raises:
            JobFailed: the table cannot be read this way; the file stays, to be imported in another.
            WaitTimedOut: it was not read in `timeout` seconds; that goes on.
        """
        body = given(name=name, label_column=label_column, types=types, dialect=dialect)
        path = f"/datasets/{at(dataset)}"
        reply = yield from self._send("POST", f"{path}/import", body=body)
        begun = parsed(Dataset, decoded(reply), sparse=True)
        if wait and begun.job_id is not None:
            yield from waited(self._conversation, begun.job_id, timeout, on_job)
        return (yield from self._one(Dataset, "GET", path))

    @Operation
    def report(self, dataset: HasId | str) -> Flow[Report]:
        """Tell of each cell that could not be read (the first 1,000) where it is and what to do."""
        return self._one(Report, "GET", f"/datasets/{at(dataset)}/report")

    @Listing
    def list(
        self,
        *,
        status: Literal["uploaded", "processing", "ready", "failed"] | None = None,
        name: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        sort: Sort | None = None,
        fields: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Pages[Dataset]:
        """Go through the datasets that you may see, newest first."""
        return self._pages(
            Dataset,
            "/datasets",
            status=status,
            name=name,
            since=since,
            until=until,
            sort=sort,
            fields=fields,
            limit=page_size,
        )

    @Operation
    def get(self, dataset: HasId | str, *, fields: Sequence[str] | None = None) -> Flow[Dataset]:
        """Look at one dataset: its columns, what was measured of them, what could not be read."""
        return self._one(Dataset, "GET", f"/datasets/{at(dataset)}", query={"fields": fields})

    @Operation
    def update(
        self,
        dataset: HasId | str,
        *,
        name: str | Keep = KEEP,
        description: str | Keep = KEEP,
        label_column: str | Keep | None = KEEP,
        types: Mapping[str, str] | Keep = KEEP,
        cascade: bool = False,
        if_match: str | None = None,
        wait: bool = True,
        timeout: float | None = None,
        on_job: OnJob | None = None,
    ) -> Flow[Dataset]:
        """Change what is given; new `types` make the server read the table again, which is waited for.

        `cascade` deletes the results that depend on the columns as they were, without which that is refused.

        Raises:
            PreconditionFailed: `if_match` is given, and somebody changed the dataset since.
        """
        body = given(name=name, description=description, label_column=label_column, types=types)
        path = f"/datasets/{at(dataset)}"
        query = {"cascade": cascade or None}
        reply = yield from self._send("PATCH", path, query=query, body=body, headers=only_if(if_match))
        if wait and reply.status == 202:
            job_id = parsed(Dataset, decoded(reply), sparse=True).job_id
            yield from waited(self._conversation, str(job_id), timeout, on_job)
        return read(Dataset, reply) if reply.status == 200 else (yield from self._one(Dataset, "GET", path))

    @Operation
    def delete(
        self, dataset: HasId | str, *, cascade: bool = False, if_match: str | None = None
    ) -> Flow[None]:
        """Delete a dataset with its rows; `cascade`: also the results that depend on it, else it stays."""
        path, query = f"/datasets/{at(dataset)}", {"cascade": cascade or None}
        return self._none("DELETE", path, query=query, headers=only_if(if_match))

    @Listing
    def rows(
        self, dataset: HasId | str, *, fields: Sequence[str] | None = None, page_size: int | None = None
    ) -> Pages[Row]:
        """Go through the rows, in file order."""
        return self._pages(Row, f"/datasets/{at(dataset)}/rows", fields=fields, limit=page_size)

    @Operation
    def profile(self, dataset: HasId | str) -> Flow[Profile]:
        """Tell what was measured of each column."""
        return self._one(Profile, "GET", f"/datasets/{at(dataset)}/profile")

    @Operation
    def quality(self, dataset: HasId | str) -> Flow[Quality]:
        """Tell what deserves a look before results are trusted, most severe first."""
        return self._one(Quality, "GET", f"/datasets/{at(dataset)}/quality")

    @Operation
    def download(
        self,
        dataset: HasId | str,
        file: str | PathLike[str],
        *,
        format: Literal["original", "csv", "parquet"] = "original",  # noqa: A002 the API's own word
    ) -> Flow[Path]:
        """Write the table to a file, which appears only once it is whole."""
        path = Path(file)
        query: dict[str, Any] = {"format": format}
        yield from self._send("GET", f"/datasets/{at(dataset)}/download", query=query, save=path)
        return path
