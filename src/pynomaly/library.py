"""The public library: train a detector, find the anomalies of a table, save and load.

>>> import pynomaly
>>> rows = [[float(i % 7), float(i % 5)] for i in range(200)] + [[60.0, -40.0]]
>>> result = pynomaly.detect(rows)
>>> result.top(1)[0].row
200
"""

import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from pynomaly import allowance, export
from pynomaly.blocks import MIB, Drawn, score_blocks, training_rows
from pynomaly.columns import Column, Frame
from pynomaly.detection import catalogue
from pynomaly.detection.choice import Choice, Contamination, Ways
from pynomaly.detection.encoding import as_matrix, listed, plain_frame
from pynomaly.detection.model import Model, Scored, check_rows
from pynomaly.detection.sample import Sample
from pynomaly.errors import BadBundle, BadColumns, NotFitted
from pynomaly.phases import Phases
from pynomaly.results import FrameKind, Result, explain
from pynomaly.tables import Table, read

Progress = Callable[[float, str], None]
"""Called with the share that is done (0 to 1) and what is being done."""

Scores = NDArray[np.float64]


class Detector:
    """An algorithm with its parameters; `fit` trains it, and then it scores any table of the same shape.

    `columns` names the columns to use (default: all that can be), `exclude` those to leave out.

    At most one of these says which rows are anomalies (more in docs/scores.md):
    - `contamination`: share of the training rows to flag, above 0 and at most 0.5; or "auto" (the default),
      which flags the rows that stand out from the others, and may flag none;
    - `max_alerts`: how many of the training table's rows are flagged at most;
    - `fdr`: share of false alarms among the flagged rows of each table that is judged;
    - `quantile`: share of the training rows that are not flagged.

    Raises UnknownAlgorithm, BadParameter or BadColumns.
    """

    def __init__(
        self,
        algorithm: str = catalogue.DEFAULT,
        *,
        columns: Iterable[str] | None = None,
        exclude: Iterable[str] | None = None,
        contamination: Contamination | None = None,
        max_alerts: int | None = None,
        fdr: float | None = None,
        quantile: float | None = None,
        seed: int = 0,
        **parameters: Any,
    ) -> None:
        """Check and store; nothing is trained yet."""
        self.algorithm = algorithm
        self.parameters = catalogue.check_parameters(algorithm, parameters)
        self.choice = Choice.of(
            {"contamination": contamination, "max_alerts": max_alerts, "fdr": fdr, "quantile": quantile}
        )
        self.seed = catalogue.check_seed(seed, algorithm)
        self.columns = None if columns is None else named("columns", columns)
        self.exclude = named("exclude", exclude or ())
        self._model: Model | None = None
        self._fit_phases = Phases()
        self._trained_on: weakref.ref[Table] | None = None
        self._training_scores: Scores | None = None

    @property
    def model(self) -> Model:
        """The trained model; raises NotFitted before `fit`."""
        if self._model is None:
            raise NotFitted
        return self._model

    @property
    def contamination(self) -> Contamination | None:
        """The share of the training rows to flag, or "auto"; None when the threshold is chosen otherwise."""
        chosen: Contamination | None = self.choice.get("contamination")
        return chosen

    @property
    def estimated_contamination(self) -> float:
        """The share of the training rows that stand out; 0: no strong anomalies. Needs `fit`."""
        return self.model.estimated_contamination

    @property
    def columns_(self) -> tuple[Column, ...]:
        """The training table's columns; `unused` says why one is left out."""
        return self.model.schema

    @property
    def notes_(self) -> tuple[str, ...]:
        """What was done otherwise than one might expect."""
        return self.model.notes

    @property
    def training_scores_(self) -> Scores:
        """The scores of the training table's rows; raises NotFitted where they are not known."""
        if self._training_scores is None:
            raise NotFitted
        return self._training_scores

    @property
    def threshold(self) -> float:
        """The score above which a row is an anomaly; it may be set at any time after training.

        With `fdr` this one is for single rows; `detect` finds each table's own.
        """
        return self.model.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self._move(self.model.with_threshold(value))

    def set_threshold(self, value: float | None = None, **ways: Unpack[Ways]) -> Self:
        """Choose anew which rows are anomalies, after training and without training again.

        `value` is a score; or give one of `contamination`, `max_alerts`, `fdr` and `quantile`, as for
        `Detector`. Nothing stands for contamination "auto". Raises BadParameter, NotFitted.

        >>> rows = [[float(i % 19), float(i % 23)] for i in range(400)]
        >>> detector = Detector().fit(rows).set_threshold(max_alerts=20)
        >>> bool(0 < (detector.score(rows) > detector.threshold).sum() <= 20)
        True
        """
        self._move(self.model.with_threshold(value, **ways))
        return self

    def _move(self, model: Model) -> None:
        self._model = model
        if model.choice.way != "value":  # a score means nothing to the next training
            self.choice = model.choice

    def fit(self, source: Any, progress: Progress | None = None) -> Self:
        """Train on a path, "-" (standard input), frame, array or Table.

        Raises the errors of `tables.read`, BadColumns (the table lacks a column that is named),
        NoUsableColumns, TooFewRows, FitFailed, and MissingExtra (packages that the algorithm needs are not
        installed; the message names the command).
        """
        catalogue.require(self.algorithm, self.parameters)
        phases = Phases()
        with phases.measure("read"):
            table, schema, drawn = self._training_data(source)
        sample = self._sample(table, schema, drawn, _part(progress, 0.5, 1.0))
        with phases.measure("fit"):
            self._model = Model.fit(
                drawn.frame,
                self.algorithm,
                self.parameters,
                self.seed,
                _telling(_part(progress, 0.0, 0.5 if sample else 1.0), "Training"),
                schema,
                sample,
                **cast(Ways, self.choice.ways()),
            )
        self._fit_phases = phases
        self._trained_on = None if table is None else weakref.ref(table)
        if sample is None:
            self._training_scores = self._model.algorithm.training_scores_
        return self

    def _sample(
        self, table: Table | None, schema: list[Column], drawn: Drawn, progress: Progress | None
    ) -> Sample | None:
        """Say how the whole table is scored, when only a sample of it is trained on."""
        if table is None or drawn.rows is None:
            return None
        names = [column.name for column in schema if not column.unused]

        def score_all(score: Callable[[Frame], Scores]) -> Scores:
            self._training_scores = score_blocks(table, names, score, progress)
            return self._training_scores

        return Sample(drawn.rows, table.n_rows, score_all)

    def _training_data(self, source: Any) -> tuple[Table | None, list[Column], Drawn]:
        """Find the columns on offer and the values of those that are used; a clean matrix needs no table."""
        X = as_matrix(source)
        limits = allowance.limits()
        small = X is not None and X.shape[1] <= limits.max_columns and 2 * X.nbytes <= limits.memory_mib * MIB
        found = plain_frame(X) if X is not None and small else None
        if found is not None:
            schema = chosen(tuple(data.column for data in found.values()), self.columns, self.exclude)
            return None, schema, Drawn({column.name: found[column.name] for column in schema})
        table = opened(source)
        check_rows(table.n_rows)
        schema = chosen(table.columns, self.columns, self.exclude)
        names = [column.name for column in schema if not column.unused]
        most = catalogue.load_class(self.algorithm).max_rows
        return table, schema, training_rows(table, names, most, self.seed)

    def score(self, source: Any) -> Scores:
        """Score each row: higher is more anomalous. Shape (n,), in the table's order.

        A numpy matrix of numbers takes a short cut (one row costs microseconds): its columns are those of the
        training table, by position.
        """
        X = as_matrix(source)
        if X is not None:
            return self.model.score_array(X)
        return self._score(self._opened(source), None)[0]

    def detect(
        self,
        source: Any,
        label_column: str | None = None,
        progress: Progress | None = None,
        max_explained: int = 10_000,
    ) -> Result:
        """Score each row of a path, frame, array or Table, and explain the anomalies.

        `label_column` holds the truth (0/1) and only gives `auc_roc` and `average_precision`. The
        `max_explained` highest anomalies are explained at once, other rows when `Result.top` shows them.
        On the table that the detector was trained on, the result's phases include the training.
        """
        model, phases = self.model, Phases()
        with phases.measure("read"):
            table = self._opened(source)
            labels = None if label_column is None else table.labels(label_column)
        known = self._trained_on is not None and self._trained_on() is table
        with phases.measure("score"):
            scores, p_values, verdicts, cut = self._score(table, progress)
        result = Result(
            self.algorithm,
            cut,
            scores,
            p_values,
            verdicts,
            (*model.notes, *model.remarks(scores, verdicts)),
            phases.including(self._fit_phases) if known else phases,
            table,
            model,
            {} if labels is None else accuracy(labels, scores),
            frame_kind(source),
        )
        with result.phases.measure("explain"):
            flagged = result.order[: min(result.n_anomalies, max_explained)].tolist()
            explain(result, flagged, _telling(progress, "Explaining"))
        return result

    def _opened(self, source: Any) -> Table:
        """Open a table to be scored; a matrix has the training table's columns, by position."""
        X = as_matrix(source)
        if X is None:
            return opened(source)
        self.model.encoder.transform_array(X[:1])  # refuses another width
        return opened({column.name: X[:, i] for i, column in enumerate(self.model.schema)})

    def _score(self, table: Table, progress: Progress | None) -> Scored:
        model = self.model
        if self._training_scores is not None and self._trained_on and self._trained_on() is table:
            return model.judge(self._training_scores)
        return model.judge(score_blocks(table, present(table, model.columns), model.score_frame, progress))

    def to_bytes(self, key: bytes | None = None) -> bytes:
        """Give the trained detector as bytes, signed when a `key` is given."""
        return self.model.to_bytes(key)

    def save(self, path: str | Path, key: bytes | None = None) -> None:
        """Write the trained detector to one file, atomically; it holds no code, only JSON and arrays."""
        export.write_bytes(path, self.to_bytes(key))

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        key: bytes | None = None,
        require_signature: bool = False,
        allow_skops: bool = False,
    ) -> Self:
        """Read what `to_bytes` gave; raises BadBundle for anything else.

        A detector of PyOD is read only if it is signed with `key` and `require_signature` says so, or if
        `allow_skops` says that the file is to be trusted; else UntrustedModel is raised.
        """
        model = Model.from_bytes(data, key, require_signature, allow_skops)
        known = model.algorithm
        parameters: dict[str, Any] = dict(known.params)
        made = cls(known.name, seed=known.seed, **parameters)
        made._move(model)
        return made


def detect(
    source: Any,
    algorithm: str = catalogue.DEFAULT,
    *,
    columns: Iterable[str] | None = None,
    exclude: Iterable[str] | None = None,
    contamination: Contamination | None = None,
    max_alerts: int | None = None,
    fdr: float | None = None,
    quantile: float | None = None,
    seed: int = 0,
    label_column: str | None = None,
    progress: Progress | None = None,
    max_explained: int = 10_000,
    **parameters: Any,
) -> Result:
    """Find the anomalies of one table: train on it and score it.

    `source` is a path, "-" (standard input), a pandas, polars or pyarrow frame, an array, or a Table;
    `label_column` is never used for training. The rest is as for `Detector` and `Detector.detect`.
    """
    wanted = None if columns is None else [name for name in named("columns", columns) if name != label_column]
    left_out = [*named("exclude", exclude or ()), *([] if label_column is None else [label_column])]
    detector = Detector(
        algorithm,
        columns=wanted,
        exclude=left_out,
        contamination=contamination,
        max_alerts=max_alerts,
        fdr=fdr,
        quantile=quantile,
        seed=seed,
        **parameters,
    )
    catalogue.require(algorithm, detector.parameters)  # refused before the table is read, not after it
    phases = Phases()
    with phases.measure("read"):
        table = opened(source)
        if label_column is not None:
            table.labels(label_column)  # refused before the training, not after it
    detector.fit(table, progress)
    result = detector.detect(table, label_column, progress, max_explained)
    result.phases = result.phases.including(phases)
    result.frame_kind = frame_kind(source)
    return result


def load(path: str | Path, key: bytes | None = None, allow_skops: bool = False) -> Detector:
    """Read a saved detector; raises BadBundle when it is missing, damaged, changed, or no Pynomaly model.

    `allow_skops` reads a detector of PyOD too, whose file could do harm if it came from somebody else.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise BadBundle(f"The model file {str(path)!r} cannot be read: {error.strerror or error}.") from None
    return Detector.from_bytes(data, key, allow_skops=allow_skops)


def opened(source: Any) -> Table:
    """Read a source, unless it is a Table already."""
    return source if isinstance(source, Table) else read(source, limits=allowance.limits())


def frame_kind(source: Any) -> FrameKind:
    """Tell which library a frame is from; pandas for anything that is no frame."""
    module = type(source).__module__.partition(".")[0]
    return module if module in ("polars", "pyarrow") else "pandas"  # type: ignore[return-value]


def named(what: str, names: Iterable[str]) -> tuple[str, ...]:
    """Give column names as a table spells them (0 becomes "0"); raises BadColumns for a single text."""
    if isinstance(names, str):
        raise BadColumns(f"{what} is a list of column names, such as [{names!r}], not one text.")
    return tuple(str(name) for name in names)


def chosen(
    columns: tuple[Column, ...], wanted: tuple[str, ...] | None, left_out: tuple[str, ...]
) -> list[Column]:
    """Pick columns by name; an id-like or text column that is asked for by name is used.

    Raises BadColumns when a name is not in the table, or when nothing is left.
    """
    by_name = {column.name: column for column in columns}
    everything = by_name if wanted is None else wanted
    for name in (*everything, *left_out):
        if name not in by_name:
            close = get_close_matches(name, by_name, 1)
            hint = f" Did you mean {close[0]!r}?" if close else f" It has: {listed(by_name)}."
            raise BadColumns(f"The table has no column {name!r}.{hint}", column=name)
    picked = [by_name[name] for name in dict.fromkeys(everything) if name not in left_out]
    if wanted:
        picked = [
            replace(column, unused=None) if column.type in ("id", "text") else column for column in picked
        ]
    if not picked:
        raise BadColumns("No column is left to use: every one is excluded, or none is named.")
    return picked


def present(table: Table, names: Iterable[str]) -> list[str]:
    """Give those of `names` that the table has, for the encoder to refuse all missing ones at once."""
    there = {column.name for column in table.columns}
    return [name for name in names if name in there]


def accuracy(labels: NDArray[np.int8], scores: Scores) -> dict[str, float | None]:
    """Compare scores with the truth; None where the labels are all alike."""
    from pynomaly.detection import evaluate

    if labels.min() == labels.max():
        return {"auc_roc": None, "average_precision": None}
    return {
        "auc_roc": evaluate.auc_roc(labels, scores),
        "average_precision": evaluate.average_precision(labels, scores),
    }


def _part(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Tell a part of the work as its share of the whole."""
    return progress and (lambda share, what: progress(start + (stop - start) * share, what))


def _telling(progress: Progress | None, what: str) -> Callable[[float], None] | None:
    return None if progress is None else lambda share: progress(share, what)
