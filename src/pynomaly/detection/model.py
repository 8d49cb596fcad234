"""A trained model: encoder, algorithm, calibration, threshold and summaries, fitted and saved together."""

import math
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from pynomaly.columns import Column, Frame
from pynomaly.detection import bundle, catalogue
from pynomaly.detection.choice import Choice, Ways
from pynomaly.detection.encoding import Encoder
from pynomaly.detection.explain import Explainer, Explanation, Reason
from pynomaly.detection.features import Matrix, column_of, number
from pynomaly.detection.nearest import NormalRows
from pynomaly.detection.outlying import Outlying
from pynomaly.detection.sample import Sample
from pynomaly.detection.saved import Learned, saved_arrays, saved_part
from pynomaly.detection.scoring import Calibration
from pynomaly.detection.thresholds import batch_threshold, digest, threshold
from pynomaly.detection.trust import allowing_skops
from pynomaly.errors import BadBundle, BadParameter, TooFewRows, UnknownAlgorithm
from pynomaly.version import __version__

if TYPE_CHECKING:
    from pynomaly.detection.algorithms.contract import Algorithm

Progress = Callable[[float], None]
Scored = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], float]
"""Scores, p-values and verdicts of n rows, each of shape (n,), and the threshold they were judged by."""

FITTING = 0.6
"""Of the training, the share that is not calibration, for progress."""

NO_STRONG = "No strong anomalies"

EXPLAINED_AT_ONCE = 1024
"""Rows whose contributions are computed together, to bound memory."""

JUDGED_AT_ONCE = 1_000_000
"""Rows whose p-values are found together, for the same reason."""


@dataclass(frozen=True)
class Model:
    """Scores rows of later tables as it scored those of the training table; `threshold` can be moved."""

    algorithm: "Algorithm"
    encoder: Encoder
    explainer: Explainer
    normal: NormalRows
    training: Calibration
    calibration: Calibration
    choice: Choice
    threshold: float
    outlying: Outlying
    trained_on: str
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls,
        frame: Frame,
        algorithm: str = catalogue.DEFAULT,
        parameters: Mapping[str, Any] | None = None,
        seed: int = 0,
        progress: Progress | None = None,
        schema: Sequence[Column] | None = None,
        sample: Sample | None = None,
        **ways: Unpack[Ways],
    ) -> "Model":
        """Train on the rows of `frame`; `progress` is called with shares from 0 to 1.

        `schema` lists all columns on offer, when `frame` holds only the ones that are used. `ways` chooses
        the threshold (`detection.thresholds`): at most one of contamination, max_alerts, fdr and quantile.
        When `frame` holds a `sample` of the training table, the scores of all its rows give the threshold.
        Raises UnknownAlgorithm, BadParameter, NoUsableColumns, TooFewRows or FitFailed.
        """
        choice = Choice.of(ways)
        made = catalogue.create(algorithm, parameters, seed)
        for data in frame.values():
            check_rows(len(data))
        encoder = Encoder.fit(frame, schema)
        explainer = Explainer.fit(frame, encoder)
        X = encoder.transform(frame)
        made.fit(X, progress and (lambda done: progress(done * FITTING)))
        training = Calibration.fit(made.training_scores_)
        calibration = _calibrated(made, X, progress) or training
        outlying = Outlying.fit(X, made.training_scores_, made.members_, seed)
        scores = made.training_scores_
        normal = NormalRows.fit(frame, encoder, scores, seed)
        notes = unused_notes(encoder.schema) + made.notes_
        if sample:
            scores = sample.score_all(lambda rows: made.score(encoder.transform(rows)))
            training = Calibration.fit(scores)
            normal, notes = normal.numbered(sample.rows), (sample.note, *notes)
        return cls(
            made,
            encoder,
            explainer,
            normal,
            training,
            calibration,
            choice,
            threshold(training, calibration, choice, outlying),
            outlying,
            digest(scores),
            notes,
        )

    @property
    def schema(self) -> tuple[Column, ...]:
        """All columns of the training table that were offered; `unused` says why one is left out."""
        return self.encoder.schema

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a table must have to be scored."""
        return self.encoder.names

    @property
    def estimated_contamination(self) -> float:
        """Share of the training rows that stand out, whatever the threshold; what "auto" flags."""
        return self.training.share_above(self._cut(Choice()))

    def _cut(self, choice: Choice) -> float:
        return threshold(self.training, self.calibration, choice, self.outlying)

    def with_threshold(self, value: float | None = None, **ways: Unpack[Ways]) -> "Model":
        """Give the same model with another cut between normal and anomalous rows, without retraining.

        It is `value`, a score, or what one of contamination, max_alerts, fdr and quantile makes it; neither
        gives contamination "auto". Raises BadParameter.
        """
        choice = Choice.of(ways) if value is None else Choice.at(value)
        if value is not None and any(way is not None for way in ways.values()):
            raise BadParameter("Give a threshold or a way to choose one, not both.", parameter="threshold")
        return replace(self, choice=choice, threshold=self._cut(choice))

    def score_block(self, frame: Frame) -> Scored:
        """Score n rows and judge them."""
        return self.judge(self.score_frame(frame))

    def score_frame(self, frame: Frame) -> NDArray[np.float64]:
        """Score n rows: shape (n,)."""
        return self.algorithm.score(self.encoder.transform(frame))

    def judge(self, scores: NDArray[np.float64]) -> Scored:
        """Add p-values, verdicts and the threshold to the scores of a whole table.

        The threshold is the model's; but with `fdr`, on any table but the training table, it is the one that
        Benjamini and Hochberg give for that table's p-values.
        """
        starts = range(0, len(scores), JUDGED_AT_ONCE)
        parts = [self.calibration.p_values(scores[i : i + JUDGED_AT_ONCE]) for i in starts]
        p_values, cut = np.concatenate(parts) if parts else np.zeros(0), self.threshold
        if self._by_table(scores):
            cut = batch_threshold(scores, p_values, self.choice.number, cut)
        return scores, p_values, scores > cut, cut

    def _by_table(self, scores: NDArray[np.float64]) -> bool:
        return self.choice.way == "fdr" and digest(scores) != self.trained_on

    def remarks(self, scores: NDArray[np.float64], flagged: NDArray[np.bool_]) -> tuple[str, ...]:
        """Say when no row stands out, or when so few training rows can tell none from chance."""
        if flagged.any() and scores.max() <= self._cut(Choice()):
            return (f"{NO_STRONG}: the flagged rows score highest, but none stands out from the rest.",)
        if flagged.any():
            return ()
        n, m = self.calibration.rows, len(scores)
        if self._by_table(scores) and m / (n + 1) > self.choice.number:
            least = math.ceil(m / (n + 1) / self.choice.number)
            takes = f"takes at least {least:,} rows that all score above the training rows"
            told = f"No row is flagged: with {n:,} training rows and {m:,} to judge, fdr={self.choice.value}"
            return (f"{told} {takes if least <= m else 'can flag none'}.",)
        return (f"{NO_STRONG}: no row stands out from the rest.",)

    def score_array(self, X: Matrix) -> NDArray[np.float64]:
        """Score a float matrix whose columns are those of `schema`, in that order: shape (n,)."""
        return self.algorithm.score(self.encoder.transform_array(X))

    def reasons(self, frame: Frame) -> list[list[Reason]]:
        """Give the reasons of n rows, greatest first."""
        X = self.encoder.transform(frame)
        chunks = range(0, len(X), EXPLAINED_AT_ONCE)
        parts = [self.algorithm.contributions(X[i : i + EXPLAINED_AT_ONCE]) for i in chunks]
        together = np.concatenate(parts) if parts else np.zeros((0, self.encoder.width))
        return self.explainer.reasons(frame, self.encoder, together)

    def explanations(self, frame: Frame, is_anomaly: Iterable[bool]) -> list[Explanation]:
        """Explain n rows: reasons, the most similar normal training row, and a sentence."""
        parts = zip(self.reasons(frame), self.normal.nearest(frame), is_anomaly, strict=True)
        say = self.explainer.summary
        return [Explanation(why, nearest, say(why, nearest, bool(odd))) for why, nearest, odd in parts]

    def frame_of_rows(self, rows: Sequence[Mapping[str, Any]]) -> Frame:
        """Make a frame with the model's columns of rows of JSON values (timestamps as ISO 8601 text)."""
        return {
            name: column_of(Column(name, feature.kind), [row[name] for row in rows])
            for name, feature in self.encoder.features.items()
        }

    def to_bytes(self, key: bytes | None = None) -> bytes:
        """Write the model as one file's bytes, signed when a `key` is given."""
        same = self.training is self.calibration
        manifest = {
            "created_by": __version__,
            "libraries": {"python": platform.python_version(), "numpy": np.__version__},
            "algorithm": self.algorithm.name,
            "parameters": dict(self.algorithm.params),
            "seed": self.algorithm.seed,
            "encoder": self.encoder.json(),
            "typical": self.explainer.json(),
            "normal": self.normal.json(),
            "calibration": {
                "rows": self.calibration.rows,
                "training_rows": self.training.rows,
                "scores": self.trained_on,
                "outlying": list(self.outlying.shares),
            },
            "choice": self.choice.json(),
            "threshold": self.threshold,
            "notes": list(self.notes),
        }
        arrays = (
            _prefixed("algorithm", self.algorithm.state())
            | _prefixed("calibration", self.calibration.arrays())
            | ({} if same else _prefixed("training", self.training.arrays()))
            | _prefixed("typical", self.explainer.arrays())
            | _prefixed("normal", self.normal.arrays())
        )
        return bundle.dump(manifest, arrays, key)

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        key: bytes | None = None,
        require_signature: bool = False,
        allow_skops: bool = False,
    ) -> "Model":
        """Read what `to_bytes` wrote; raises BadBundle for anything else.

        A model of PyOD is read when it is signed with `key` and that was required, or when `allow_skops`
        says that the file is to be trusted; else UntrustedModel is raised.
        """
        manifest, arrays = bundle.load(data, key, require_signature)
        encoder = Encoder.from_json(saved_part(manifest, "encoder", dict))
        with allowing_skops(allow_skops or (require_signature and key is not None)):
            algorithm = _algorithm(manifest, saved_arrays("algorithm", arrays))
        if algorithm.n_features_ != encoder.width:
            raise BadBundle("The model file's algorithm and columns do not fit each other.")
        explainer = Explainer.from_state(
            saved_part(manifest, "typical", list), saved_arrays("typical", arrays), encoder
        )
        normal = NormalRows.from_state(
            saved_part(manifest, "normal", list), saved_arrays("normal", arrays), encoder
        )
        learned = Learned.from_saved(manifest, arrays)
        choice, cut, notes = _settings(manifest)
        return cls(
            algorithm,
            encoder,
            explainer,
            normal,
            learned.training,
            learned.calibration,
            choice,
            cut,
            learned.outlying,
            learned.trained_on,
            notes,
        )


def _calibrated(made: "Algorithm", X: Matrix, progress: Progress | None) -> Calibration | None:
    """Learn from the training rows scored as if new; None when the training scores are such scores."""
    scores = made.calibration_scores(X, progress and (lambda done: progress(FITTING + done * (1 - FITTING))))
    return None if scores is made.training_scores_ else Calibration.fit(scores)


def check_rows(rows: int) -> None:
    """Raise TooFewRows when there is nothing to compare a row with."""
    if rows < 2:
        raise TooFewRows(f"Detection needs at least 2 rows to compare, and the table has {rows}.")


def unused_notes(schema: tuple[Column, ...], most: int = 20) -> tuple[str, ...]:
    """Say which columns are left out, and why."""
    notes = [f"Column {c.name!r} is not used: {c.unused}." for c in schema if c.unused]
    more = (f"{len(notes) - most} more columns are not used.",) if len(notes) > most else ()
    return (*notes[:most], *more)


def _prefixed(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def _algorithm(manifest: Mapping[str, Any], state: Mapping[str, NDArray[Any]]) -> "Algorithm":
    name, parameters = saved_part(manifest, "algorithm", str), saved_part(manifest, "parameters", dict)
    try:
        checked = catalogue.check_parameters(name, parameters)
        seed = catalogue.check_seed(manifest.get("seed"), name)
    except (UnknownAlgorithm, BadParameter) as error:
        raise BadBundle(f"The model file cannot be used: {error.message}") from None
    return catalogue.load_class(name).from_state(checked, seed, state)


def _settings(manifest: Mapping[str, Any]) -> tuple[Choice, float, tuple[str, ...]]:
    notes = saved_part(manifest, "notes", list)
    if not all(isinstance(note, str) for note in notes):
        raise BadBundle("The model file's notes are not text.")
    try:
        return Choice.from_json(manifest.get("choice")), number(manifest.get("threshold")), tuple(notes)
    except (BadParameter, ValueError):
        raise BadBundle("The model file's threshold makes no sense.") from None
