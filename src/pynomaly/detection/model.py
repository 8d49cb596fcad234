"""A trained model: encoder, algorithm, calibration, threshold and summaries, fitted and saved together."""

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pynomaly.columns import Column, Frame
from pynomaly.detection import bundle, catalogue
from pynomaly.detection.encoding import Encoder
from pynomaly.detection.explain import Explainer, Reason
from pynomaly.detection.features import Matrix, column_of, number
from pynomaly.detection.nearest import NearestRow, NormalRows
from pynomaly.detection.scoring import Calibration, Contamination, check_contamination, threshold
from pynomaly.errors import BadBundle, BadParameter, TooFewRows, UnknownAlgorithm
from pynomaly.version import __version__

if TYPE_CHECKING:
    from pynomaly.detection.algorithms.contract import Algorithm

Progress = Callable[[float], None]
Scored = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]

EXPLAINED_AT_ONCE = 1024
"""Rows whose contributions are computed together, to bound memory."""


@dataclass(frozen=True)
class Model:
    """Scores rows of later tables as it scored those of the training table; `threshold` can be moved."""

    algorithm: "Algorithm"
    encoder: Encoder
    explainer: Explainer
    normal: NormalRows
    calibration: Calibration
    contamination: Contamination
    threshold: float
    notes: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls,
        frame: Frame,
        algorithm: str = "isolation_forest",
        parameters: Mapping[str, Any] | None = None,
        contamination: Contamination = "auto",
        seed: int = 0,
        progress: Progress | None = None,
        schema: Sequence[Column] | None = None,
    ) -> "Model":
        """Train on the rows of `frame`; `progress` is called with shares from 0 to 1.

        `schema` lists all columns on offer, when `frame` holds only the ones that are used.
        Raises UnknownAlgorithm, BadParameter, NoUsableColumns, TooFewRows or FitFailed.
        """
        contamination = check_contamination(contamination)
        made = catalogue.create(algorithm, parameters, seed)
        for data in frame.values():
            check_rows(len(data))
        encoder = Encoder.fit(frame, schema)
        explainer = Explainer.fit(frame, encoder)
        made.fit(encoder.transform(frame), progress)
        scores = made.training_scores_
        cut = threshold(scores, contamination)
        notes = unused_notes(encoder.schema) + made.notes_
        normal = NormalRows.fit(frame, encoder, scores, seed)
        return cls(made, encoder, explainer, normal, Calibration.fit(scores), contamination, cut, notes)

    @property
    def schema(self) -> tuple[Column, ...]:
        """All columns of the training table that were offered; `unused` says why one is left out."""
        return self.encoder.schema

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a table must have to be scored."""
        return self.encoder.names

    def with_threshold(self, value: float) -> "Model":
        """Give the same model with another cut between normal and anomalous rows."""
        try:
            return replace(self, threshold=number(value.item() if isinstance(value, np.generic) else value))
        except ValueError:
            raise BadParameter(
                f"The threshold is a finite number, not {value!r}.", parameter="threshold"
            ) from None

    def score_block(self, frame: Frame) -> Scored:
        """Score n rows: score, p-value and whether the score is above the threshold, each of shape (n,)."""
        return self.judge(self.score_frame(frame))

    def score_frame(self, frame: Frame) -> NDArray[np.float64]:
        """Score n rows: shape (n,)."""
        return self.algorithm.score(self.encoder.transform(frame))

    def judge(self, scores: NDArray[np.float64]) -> Scored:
        """Add p-values and verdicts to scores."""
        return scores, self.calibration.p_values(scores), scores > self.threshold

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

    def nearest_normal(self, frame: Frame) -> list[NearestRow]:
        """Give for each of n rows the most similar of the normal training rows that were kept."""
        return self.normal.nearest(frame)

    def frame_of_rows(self, rows: Sequence[Mapping[str, Any]]) -> Frame:
        """Make a frame with the model's columns of rows of JSON values (timestamps as ISO 8601 text)."""
        return {
            name: column_of(Column(name, feature.kind), [row[name] for row in rows])
            for name, feature in self.encoder.features.items()
        }

    def to_bytes(self, key: bytes | None = None) -> bytes:
        """Write the model as one file's bytes, signed when a `key` is given."""
        manifest = {
            "created_by": __version__,
            "libraries": {"python": platform.python_version(), "numpy": np.__version__},
            "algorithm": self.algorithm.name,
            "parameters": dict(self.algorithm.params),
            "seed": self.algorithm.seed,
            "encoder": self.encoder.json(),
            "typical": self.explainer.json(),
            "normal": self.normal.json(),
            "calibration": {"rows": self.calibration.rows},
            "contamination": self.contamination,
            "threshold": self.threshold,
            "notes": list(self.notes),
        }
        arrays = (
            _prefixed("algorithm", self.algorithm.state())
            | _prefixed("calibration", self.calibration.arrays())
            | _prefixed("typical", self.explainer.arrays())
            | _prefixed("normal", self.normal.arrays())
        )
        return bundle.dump(manifest, arrays, key)

    @classmethod
    def from_bytes(cls, data: bytes, key: bytes | None = None, require_signature: bool = False) -> "Model":
        """Read what `to_bytes` wrote; raises BadBundle for anything else."""
        manifest, arrays = bundle.load(data, key, require_signature)
        encoder = Encoder.from_json(_part(manifest, "encoder", dict))
        algorithm = _algorithm(manifest, _under("algorithm", arrays))
        if algorithm.n_features_ != encoder.width:
            raise BadBundle("The model file's algorithm and columns do not fit each other.")
        explainer = Explainer.from_state(_part(manifest, "typical", list), _under("typical", arrays), encoder)
        normal = NormalRows.from_state(_part(manifest, "normal", list), _under("normal", arrays), encoder)
        rows = _part(manifest, "calibration", dict).get("rows")
        calibration = Calibration.from_arrays(_under("calibration", arrays), rows)
        contamination, cut, notes = _settings(manifest)
        return cls(algorithm, encoder, explainer, normal, calibration, contamination, cut, notes)


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


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def _part(manifest: Mapping[str, Any], name: str, kind: type) -> Any:
    part = manifest.get(name)
    if not isinstance(part, kind):
        raise BadBundle(f"The model file lacks its {name}.")
    return part


def _algorithm(manifest: Mapping[str, Any], state: Mapping[str, NDArray[Any]]) -> "Algorithm":
    name, parameters = _part(manifest, "algorithm", str), _part(manifest, "parameters", dict)
    try:
        checked = catalogue.check_parameters(name, parameters)
        seed = catalogue.check_seed(manifest.get("seed"), name)
    except (UnknownAlgorithm, BadParameter) as error:
        raise BadBundle(f"The model file cannot be used: {error.message}") from None
    return catalogue.load_class(name).from_state(checked, seed, state)


def _settings(manifest: Mapping[str, Any]) -> tuple[Contamination, float, tuple[str, ...]]:
    notes = _part(manifest, "notes", list)
    if not all(isinstance(note, str) for note in notes):
        raise BadBundle("The model file's notes are not text.")
    try:
        contamination = check_contamination(manifest.get("contamination"))
        return contamination, number(manifest.get("threshold")), tuple(notes)
    except (BadParameter, ValueError):
        raise BadBundle("The model file's threshold makes no sense.") from None
