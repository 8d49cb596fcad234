"""Detections: find anomalies, score rows, compare, say which are right, take results home."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from os import PathLike
from pathlib import Path
from typing import Any, Literal, Unpack

from pynomaly.client.flow import Flow, Pages
from pynomaly.client.jobs import OnJob, waited
from pynomaly.client.models import (
    Batch,
    Comparison,
    Feedback,
    FeedbackList,
    JobStatus,
    Result,
    ResultRow,
    ResultThreshold,
    Scores,
    Started,
    Verdict,
)
from pynomaly.client.operation import (
    KEEP,
    D,
    HasId,
    Keep,
    Listing,
    Operation,
    Resource,
    at,
    given,
    id_of,
    only_if,
)
from pynomaly.client.recipe import Recipe, Threshold

FORMATS = {".csv": "csv", ".parquet": "parquet", ".json": "json"}


class Detections(Resource[D]):
    """`client.detections`."""

    @Operation
    def detect(
        self,
        dataset: HasId | str,
        detector: HasId | str | None = None,
        /,
        *,
        wait: bool = True,
        timeout: float | None = None,
        on_job: OnJob | None = None,
        **recipe: Unpack[Recipe],
    ) -> Flow[Result]:
        """Find the anomalies of a dataset, with a detector or an algorithm, and wait for the result.

        Without a detector, `recipe` says what runs; with one, it may move the threshold this once.

        Raises:
            JobFailed: the dataset cannot be used so.
            WaitTimedOut: it was not done in `timeout` seconds; that goes on.
        """
        things = given(dataset_id=id_of(dataset), detector_id=KEEP if detector is None else id_of(detector))
        started = yield from self._one(Started, "POST", "/detection/detect", body=things | recipe)
        if wait:
            yield from waited(self._conversation, started.job_id, timeout, on_job)
        return (yield from self._one(Result, "GET", f"/detection/results/{at(started)}"))

    @Operation
    def score(
        self,
        detector: HasId | str,
        rows: Iterable[Mapping[str, Any]],
        *,
        version: int | str | Keep = KEEP,
        explain: bool | Keep = KEEP,
    ) -> Flow[Scores]:
        """Score up to 1,000 rows at once, each a mapping of column to value; nothing is stored."""
        body = given(
            detector_id=id_of(detector), rows=[dict(row) for row in rows], version=version, explain=explain
        )
        return self._one(Scores, "POST", "/detection/score", body=body)

    @Operation
    def batch(
        self,
        datasets: Iterable[HasId | str],
        detectors: Iterable[HasId | str],
        /,
        *,
        wait: bool = True,
        timeout: float | None = None,
        on_job: OnJob | None = None,
        **threshold: Unpack[Threshold],
    ) -> Flow[Batch]:
        """Run each detector on each dataset, and wait for all; `items` name the results."""
        things = {"dataset_ids": list(map(id_of, datasets)), "detector_ids": list(map(id_of, detectors))}
        batch = yield from self._one(Batch, "POST", "/detection/batch", body=things | threshold)
        if wait:
            yield from waited(self._conversation, batch.job_id, timeout, on_job)
        return batch

    @Operation
    def compare(self, results: Iterable[HasId | str]) -> Flow[Comparison]:
        """Put results on the same dataset beside each other."""
        return self._one(Comparison, "GET", "/detection/compare", query={"ids": list(map(id_of, results))})

    @Listing
    def list(
        self,
        *,
        status: JobStatus | None = None,
        dataset: HasId | str | None = None,
        detector: HasId | str | None = None,
        algorithm: str | None = None,
        batch: Batch | str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        name: str | None = None,
        sort: str | None = None,
        fields: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Pages[Result]:
        """Go through your results, newest first."""
        return self._pages(
            Result,
            "/detection/results",
            status=status,
            dataset_id=None if dataset is None else id_of(dataset),
            detector_id=None if detector is None else id_of(detector),
            algorithm=algorithm,
            batch_id=None if batch is None else id_of(batch),
            since=since,
            until=until,
            name=name,
            sort=sort,
            fields=fields,
            limit=page_size,
        )

    @Operation
    def get(self, result: HasId | str, *, fields: Sequence[str] | None = None) -> Flow[Result]:
        """Look at one result: how far it is, and its summary once it is completed."""
        return self._one(Result, "GET", f"/detection/results/{at(result)}", query={"fields": fields})

    @Operation
    def update(
        self,
        result: HasId | str,
        *,
        name: str | Keep = KEEP,
        remarks: str | Keep = KEEP,
        if_match: str | None = None,
    ) -> Flow[Result]:
        """Name a result, or write remarks on it."""
        body = given(name=name, remarks=remarks)
        path = f"/detection/results/{at(result)}"
        return self._one(Result, "PATCH", path, body=body, headers=only_if(if_match))

    @Operation
    def delete(self, result: HasId | str, *, if_match: str | None = None) -> Flow[None]:
        """Delete a result with its scores."""
        return self._none("DELETE", f"/detection/results/{at(result)}", headers=only_if(if_match))

    @Listing
    def rows(
        self,
        result: HasId | str,
        *,
        sort: str = "-score",
        only: Literal["all", "anomalies", "normal"] | None = None,
        score_from: float | None = None,
        score_to: float | None = None,
        p_to: float | None = None,
        verdict: Literal["any", "none", "anomaly", "normal", "unsure"] | None = None,
        reason: str | None = None,
        where: Sequence[Sequence[str]] | None = None,
        fields: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Pages[ResultRow]:
        """Go through the rows with scores and reasons, the most anomalous first.

        `sort` is -score, score, row, -row, or column:NAME and -column:NAME; `where` are conditions
        on columns, such as `("amount", "ge", "100")`.
        """
        return self._pages(
            ResultRow,
            f"/detection/results/{at(result)}/rows",
            sort=sort,
            only=only,
            score_from=score_from,
            score_to=score_to,
            p_to=p_to,
            verdict=verdict,
            reason=reason,
            where=None if where is None else json.dumps([list(one) for one in where]),
            fields=fields,
            limit=page_size,
        )

    @Operation
    def threshold(
        self, result: HasId | str, *, threshold: float | None = None, max_alerts: int | None = None
    ) -> Flow[ResultThreshold]:
        """Look how many rows a threshold flags: a score, or an alert budget; else the present one."""
        path = f"/detection/results/{at(result)}/threshold"
        query = {"threshold": threshold, "max_alerts": max_alerts}
        return self._one(ResultThreshold, "GET", path, query=query)

    @Operation
    def move_threshold(
        self, result: HasId | str, *, threshold: float | Keep = KEEP, max_alerts: int | Keep = KEEP
    ) -> Flow[ResultThreshold]:
        """Move the threshold of a result, without training or scoring again."""
        body = given(threshold=threshold, max_alerts=max_alerts)
        path = f"/detection/results/{at(result)}/threshold"
        return self._one(ResultThreshold, "PUT", path, body=body)

    @Operation
    def reset_threshold(self, result: HasId | str) -> Flow[None]:
        """Put the threshold of a result back to where the run had it."""
        return self._none("DELETE", f"/detection/results/{at(result)}/threshold")

    @Operation
    def export(
        self,
        result: HasId | str,
        file: str | PathLike[str],
        *,
        format: Literal["csv", "parquet", "json"] | None = None,  # noqa: A002 the API's own word
    ) -> Flow[Path]:
        """Write all rows with their scores to a file, in the format of its suffix (else CSV)."""
        path = Path(file)
        query = {"format": format or FORMATS.get(path.suffix.lower(), "csv")}
        yield from self._send("GET", f"/detection/results/{at(result)}/export", query=query, save=path)
        return path

    @Operation
    def feedback(
        self, result: HasId | str, verdicts: Mapping[int, Verdict], *, note: str = ""
    ) -> Flow[Sequence[Feedback]]:
        """Say of up to 1,000 rows whether they are anomalies: `{17: "anomaly", 4: "normal"}`, with a note."""
        items = [{"row": row, "verdict": verdict, "note": note} for row, verdict in verdicts.items()]
        path = f"/detection/results/{at(result)}/feedback"
        kept = yield from self._one(FeedbackList, "POST", path, body={"items": items})
        return kept.items

    @Listing
    def all_feedback(
        self, result: HasId | str, *, verdict: Verdict | None = None, page_size: int | None = None
    ) -> Pages[Feedback]:
        """Go through what people said of a result's rows."""
        path = f"/detection/results/{at(result)}/feedback"
        return self._pages(Feedback, path, verdict=verdict, limit=page_size)

    @Operation
    def delete_feedback(self, result: HasId | str, row: int) -> Flow[None]:
        """Take back what one said of a row."""
        return self._none("DELETE", f"/detection/results/{at(result)}/feedback/{row}")
