"""Compare algorithms on a labelled table: accuracy, seconds and memory of each, over several seeds.

>>> import pynomaly
>>> rows = [[float(i % 7), float(i % 5), 0.0] for i in range(200)] + [[60.0, -40.0, 1.0]]
>>> found = pynomaly.evaluate(rows, "column_2", ["hbos", "isolation_forest(n_trees=50)"], seeds=2)
>>> [(row.algorithm, row.measures["auc_roc"].mean) for row in found.algorithms]
[('hbos', 1.0), ('isolation_forest(n_trees=50)', 1.0)]
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from pynomaly import peak
from pynomaly.detection import catalogue, members
from pynomaly.detection import evaluate as metrics
from pynomaly.detection.model import check_rows, unused_notes
from pynomaly.detection.protocols import ONE_CLASS, UNSUPERVISED, Protocol, Split, drawn
from pynomaly.errors import LabelError, PynomalyError, UsageError
from pynomaly.library import Progress, chosen, frame_kind, named, opened
from pynomaly.results import FrameKind, as_frame

Labels = NDArray[np.int8]
Matrix = NDArray[np.float64]
Given = str | Iterable[str | tuple[str, Mapping[str, Any]]] | None

ACCURACY = ("auc_roc", "average_precision", "precision_at_n", "best_f1")
MEASURES = (*ACCURACY, "fit_seconds", "score_seconds", "peak_mib")
"""What is measured of each run; `peak_mib` is explained in `pynomaly.peak`."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Mean and standard deviation over the runs; None where nothing was measured, or only once."""

    mean: float | None
    sd: float | None

    @classmethod
    def of(cls, values: Sequence[float | None]) -> "Measure":
        """Sum up the runs' values."""
        there = [value for value in values if value is not None]
        if not there:
            return cls(None, None)
        return cls(float(np.mean(there)), float(np.std(there, ddof=1)) if len(there) > 1 else None)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """How one algorithm did in so many `runs`; `error` says why it could not be evaluated.

    `charts` has, of the first seed, `roc` and `precision_recall` (at most 200 points) and `scores`
    (histograms by class).
    """

    algorithm: str
    runs: int
    measures: Mapping[str, Measure] = field(default_factory=dict)
    error: str | None = None
    notes: tuple[str, ...] = ()
    charts: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def json(self, charts: bool) -> dict[str, Any]:
        """Give all as JSON values, with the charts' data where asked to."""
        measured = {name: {"mean": m.mean, "sd": m.sd} for name, m in self.measures.items()}
        told = {"algorithm": self.algorithm, "runs": self.runs, **measured}
        told |= {"error": self.error, "notes": list(self.notes)}
        return told | ({"charts": dict(self.charts)} if charts else {})


@dataclass(frozen=True)
class Evaluation:
    """How each algorithm did, the highest AUC-ROC first and those that failed last."""

    label_column: str
    protocol: Protocol
    seeds: int
    n_rows: int
    n_anomalies: int
    algorithms: tuple[Evaluated, ...]
    notes: tuple[str, ...] = ()
    frame_kind: FrameKind = field(repr=False, default="pandas")

    def to_json(self, charts: bool = False) -> dict[str, Any]:
        """Give the evaluation as JSON values; `charts` adds curves and histograms."""
        return {
            "label_column": self.label_column,
            "protocol": self.protocol,
            "seeds": self.seeds,
            "n_rows": self.n_rows,
            "n_anomalies": self.n_anomalies,
            "algorithms": [row.json(charts) for row in self.algorithms],
            "notes": list(self.notes),
        }

    def columns(self) -> dict[str, NDArray[Any]]:
        """Give a row for each algorithm, as columns; what was not measured is NaN."""
        names = np.array([row.algorithm for row in self.algorithms], dtype=object)
        columns: dict[str, NDArray[Any]] = {"algorithm": names}
        columns["runs"] = np.array([row.runs for row in self.algorithms])
        for name in MEASURES:
            both = [row.measures.get(name, Measure(None, None)) for row in self.algorithms]
            columns[name] = np.array([m.mean for m in both], dtype=np.float64)
            columns[f"{name}_sd"] = np.array([m.sd for m in both], dtype=np.float64)
        columns["error"] = np.array([row.error or "" for row in self.algorithms], dtype=object)
        return columns

    def to_frame(self) -> Any:
        """Give a row for each algorithm, as the kind of frame that was evaluated, else pandas."""
        return as_frame(self.columns(), self.frame_kind)


@dataclass(frozen=True, slots=True)
class Contender:
    """One algorithm to evaluate, with those of its parameters that are given."""

    name: str
    parameters: Mapping[str, Any]

    @property
    def spelled(self) -> str:
        """The name with the parameters."""
        return members.spell(self.name, self.parameters)


@dataclass
class Trial:
    """The runs of one contender so far."""

    contender: Contender
    runs: list[dict[str, float | None]] = field(default_factory=list)
    error: str | None = None
    notes: tuple[str, ...] = ()
    charts: dict[str, Any] = field(default_factory=dict)

    def done(self) -> Evaluated:
        """Sum the runs up."""
        if self.error is not None:
            return Evaluated(self.contender.spelled, 0, error=self.error)
        measures = {name: Measure.of([run[name] for run in self.runs]) for name in MEASURES}
        return Evaluated(self.contender.spelled, len(self.runs), measures, None, self.notes, self.charts)


def evaluate(
    source: Any,
    label_column: str,
    algorithms: Given = None,
    *,
    protocol: Protocol = UNSUPERVISED,
    seeds: int = 5,
    columns: Iterable[str] | None = None,
    exclude: Iterable[str] | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare algorithms on a labelled table; labels only measure, no algorithm sees them.

    Protocols:
        unsupervised: learn from all rows and score them, as `detect` does. An algorithm without random
            choices is run once.
        one-class: learn from a random half of the normal rows, score the others and all anomalies; an
            algorithm that has the parameter `clean_training` gets it as true, unless it is given.

    `algorithms` are names, also with parameters ("knn(n_neighbors=10)" or ("knn", {"n_neighbors": 10})),
    "all" for every one that is installed, or None: the default one and those tagged as fast. Seeds are
    0, 1, …. An algorithm that fails has an `error` in its row. `columns` and `exclude` are as for `Detector`.

    Raises LabelError (no such column, not 0/1, or one class only), UnknownAlgorithm, BadParameter,
    UsageError, TooFewRows, the errors of `tables.read`, BadColumns and NoUsableColumns.
    """
    check_plan(protocol, seeds)
    trials = [Trial(contender) for contender in contenders(algorithms)]
    table = opened(source)
    check_rows(table.n_rows)
    labels = both_classes(table.labels(label_column), label_column)
    given = None if columns is None else named("columns", columns)
    wanted = given and tuple(name for name in given if name != label_column)
    schema = chosen(table.columns, wanted, (*named("exclude", exclude or ()), label_column))
    frame = table.frame([column.name for column in schema if not column.unused])
    split = None
    for seed in range(seeds):
        if split is None or protocol == ONE_CLASS:
            split = drawn(frame, schema, labels, protocol, seed)
        for place, trial in enumerate(trials):
            start = (seed * len(trials) + place) / (seeds * len(trials))
            tell = telling(progress, start, 1 / (seeds * len(trials)), trial.contender.name)
            attempt(trial, split, protocol, seed, tell)
    rows = sorted((trial.done() for trial in trials), key=_standing)
    notes = unused_notes(split.schema) if split else ()
    anomalies = int(labels.sum())
    kind = frame_kind(source)
    return Evaluation(label_column, protocol, seeds, len(labels), anomalies, tuple(rows), notes, kind)


def check_plan(protocol: str, seeds: Any) -> None:
    """Raise UsageError for a protocol that there is not, or for no seed."""
    if protocol not in get_args(Protocol):
        raise UsageError(f"The protocol is {' or '.join(get_args(Protocol))}, not {protocol!r}.")
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise UsageError(f"The number of seeds is a whole number of at least 1, not {seeds!r}.")


def contenders(given: Given) -> list[Contender]:
    """Read which algorithms are to be evaluated; each is taken once.

    Raises UnknownAlgorithm, BadParameter, and UsageError for none or for text that makes no sense.

    >>> [contender.spelled for contender in contenders("hbos, knn(n_neighbors=10)")]
    ['hbos', 'knn(n_neighbors=10)']
    """
    if given is None or given == "all":
        entries = [entry for entry in catalogue.CATALOGUE.values() if entry.available]
        fast = [entry for entry in entries if entry is entries[0] or entry.tags["speed"] == "fast"]
        return [Contender(entry.name, {}) for entry in (entries if given else fast)]
    found: dict[str, Contender] = {}
    for item in members.split(given) if isinstance(given, str) else given:
        contender = Contender(*(_read(item) if isinstance(item, str) else item))
        catalogue.check_parameters(contender.name, contender.parameters)
        found.setdefault(contender.spelled, contender)
    if not found:
        raise UsageError("Name at least one algorithm to evaluate.")
    return list(found.values())


def both_classes(labels: Labels, name: str) -> Labels:
    """Raise LabelError unless there are normal rows and anomalies."""
    if labels.min() == labels.max():
        only = "anomalies (1)" if labels[0] else "normal rows (0)"
        raise LabelError(f"Label column {name!r} holds {only} only: accuracy needs both kinds of rows.")
    return labels


def attempt(trial: Trial, split: Split, protocol: Protocol, seed: int, tell: Any) -> None:
    """Add one run to a trial, unless it has failed or would only be repeated; a failure is kept in it."""
    repeated = protocol == UNSUPERVISED and not catalogue.get(trial.contender.name).tags["seeded"]
    if trial.error is not None or (seed and repeated):
        return
    try:
        if not seed:
            warm_up(trial.contender)
        run(trial, split, protocol, seed, tell)
    except PynomalyError as error:
        trial.error = error.message
    except MemoryError:
        trial.error = "There is not enough memory."
    except Exception as error:  # noqa: BLE001 whatever it is, the other algorithms go on
        trial.error = f"{type(error).__name__}: {error}"


def warm_up(contender: Contender) -> None:
    """Import and compile what the algorithm needs, so that the first run does not pay for it."""
    catalogue.require(contender.name, catalogue.check_parameters(contender.name, contender.parameters))
    X = np.random.default_rng(0).normal(size=(64, 3))
    with suppress(Exception):  # such as parameters that do not fit this matrix
        catalogue.load_class(contender.name).warm_up(X)
        catalogue.create(contender.name, contender.parameters).fit(X).score(X)


def run(trial: Trial, split: Split, protocol: Protocol, seed: int, tell: Any) -> None:
    """Train and score once; keeps what was measured, and of the first seed the charts."""
    name, parameters = trial.contender.name, trial.contender.parameters
    if protocol == ONE_CLASS and any(p.name == "clean_training" for p in catalogue.get(name).parameters):
        parameters = {"clean_training": True, **parameters}
    made = catalogue.create(name, parameters, seed)
    _, fit_seconds, fit_mib = peak.growth(lambda: made.fit(split.train, tell))
    scores, score_seconds, score_mib = peak.growth(lambda: made.score(split.test))
    mib = None if fit_mib is None or score_mib is None else max(fit_mib, score_mib)
    accuracy = [getattr(metrics, measure)(split.labels, scores) for measure in ACCURACY]
    trial.runs.append(dict(zip(MEASURES, [*accuracy, fit_seconds, score_seconds, mib], strict=True)))
    trial.notes = trial.notes or made.notes_
    trial.charts = trial.charts or charts(split.labels, scores)


def charts(labels: Labels, scores: Matrix) -> dict[str, Any]:
    """Give the curves and histograms that show how well scores tell the classes apart."""
    false_positive, true_positive = metrics.roc_curve(labels, scores)
    recall, precision = metrics.precision_recall_curve(labels, scores)
    return {
        "roc": {
            "false_positive_rate": false_positive.tolist(),
            "true_positive_rate": true_positive.tolist(),
        },
        "precision_recall": {"recall": recall.tolist(), "precision": precision.tolist()},
        "scores": metrics.histograms(labels, scores),
    }


def telling(progress: Progress | None, start: float, width: float, what: str) -> Any:
    """Give a function that turns one run's progress into that of all, or None; says that the run begins."""
    if progress is None:
        return None
    progress(start, what)
    return lambda share: progress(start + width * share, what)


def _read(spelled: str) -> tuple[str, dict[str, Any]]:
    try:
        return catalogue.member(spelled)
    except ValueError as error:
        raise UsageError(f"The algorithms cannot be read: {error}.") from None


def _standing(row: Evaluated) -> tuple[bool, float]:
    auc = row.measures["auc_roc"].mean if row.measures else None
    return row.error is not None, -(auc or 0.0)
