"""What every algorithm is: it fits a matrix, scores rows, explains scores, and gives and takes its state."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.threads import few_blas_threads, map_blocks
from pynomaly.detection.catalogue import check_parameters
from pynomaly.detection.conformal import out_of_sample_scores
from pynomaly.errors import FitFailed, NotFitted, SchemaMismatch, TooFewRows

Matrix = NDArray[np.float64]
State = dict[str, NDArray[Any]]
Array = TypeVar("Array", bound=NDArray[Any])
Progress = Callable[[float], None]
CELLS_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class MemberScores:
    """What each detector of several made of training rows: scores, (members, m), of `rows`, (m,)."""

    scores: Matrix
    rows: NDArray[np.intp]


class Algorithm(ABC):
    """A detector of anomalous rows in a matrix of finite numbers.

    The constructor checks and stores; `fit` learns; what was learned ends in `_`. A score is a function of
    the trained algorithm and the row alone: the same row gives the same bits in any batch, on any number of
    threads, and after `from_state(state())`. Higher is more anomalous.

    Attributes:
        training_scores_: float64, shape (n,): the score of each training row, as `score` gives it.
        n_features_: how many columns it was trained on.
        notes_: what was done otherwise than asked for, and why; shown to users.
        out_of_sample_: whether a training row's score is what it would be had it not been trained on, or so
            nearly: each row leaves itself out, or had a part in little of what was learned.
        members_: how each of the detectors that it is made of scores training rows; None when it is made of
            none, and after `from_state`.
        unit_: what scores are multiples of, where that depends on the number of training rows.
    """

    name: ClassVar[str]
    min_rows: ClassVar[int] = 2
    max_rows: ClassVar[int] = 250_000
    """Of a table that memory does not hold, it learns from a random sample of at most so many rows."""
    out_of_sample_: bool = False
    unit_: float = 1.0

    def __init__(self, *, seed: int = 0, **params: Any) -> None:
        """Check and store the parameters (see the catalogue); those not given take their defaults.

        Raises:
            BadParameter: a parameter is unknown, of the wrong type, or out of its range.
        """
        self.params: dict[str, Any] = check_parameters(self.name, params)
        self.seed = seed
        self.notes_: tuple[str, ...] = ()
        self.n_features_ = 0
        self.members_: MemberScores | None = None

    def fit(self, X: Matrix, progress: Progress | None = None) -> Self:
        """Learn from `X`, float64, shape (n, d), finite; `progress` is called with shares from 0 to 1.

        Raises:
            TooFewRows: fewer rows than the algorithm needs.
            FitFailed: the matrix cannot be learned from; the message says why.
        """
        X = as_matrix(X)
        if len(X) < self.min_rows:
            raise TooFewRows(f"{self.name} needs at least {self.min_rows} rows to learn from, not {len(X)}.")
        if X.shape[1] == 0:
            raise FitFailed(f"{self.name} needs at least one column to learn from.")
        if not _all_finite(X):
            raise FitFailed("The training matrix holds values that are missing or infinite.")
        self.notes_ = ()
        self.n_features_ = X.shape[1]
        with few_blas_threads(X.shape[1]):
            self._fit(X, progress or _ignore)
        return self

    def score(self, X: Matrix) -> Matrix:
        """Score the rows of `X`, float64, shape (m, d): float64, shape (m,), never NaN.

        Raises:
            NotFitted: `fit` was not called.
            SchemaMismatch: another number of columns than in training.
        """
        return self._score(self._checked(X))

    def contributions(self, X: Matrix) -> Matrix:
        """Say how much each column adds to each row's score: float64, shape (m, d).

        The algorithm's class says in which unit, and whether exactly.

        Raises:
            NotFitted, SchemaMismatch: as `score`.
        """
        return self._contributions(self._checked(X))

    @property
    def thread_safe(self) -> bool:
        """Whether others may learn at the same time in one process."""
        return True

    @property
    def training_scores_(self) -> Matrix:
        """The score of each training row, shape (n,); empty after `from_state`."""
        scores: Matrix = self.__dict__.get("_training_scores", np.empty(0))
        return scores

    def calibration_scores(self, X: Matrix, progress: Progress | None = None) -> Matrix:
        """Score the training rows `X`, shape (n, d), as if they were new: float64, shape (n,), in order.

        These are the training scores when they are `out_of_sample_`, else those of cross-conformal training
        (see `conformal`). Call it after `fit`, on the same rows.
        """
        if self.out_of_sample_:
            return self.training_scores_
        return out_of_sample_scores(self, as_matrix(X), progress)

    @abstractmethod
    def state(self) -> State:
        """Give everything that `score` and `contributions` need, as plain arrays."""

    @classmethod
    @abstractmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained algorithm from `state()`'s arrays.

        Raises:
            BadBundle: arrays are missing, of another type or shape, or hold values that training never gives.
        """

    @classmethod
    def warm_up(cls, X: Matrix) -> None:
        """Run every kernel once on the small matrix `X`, so that it is compiled and cached."""
        trained = cls().fit(X)
        again = cls.from_state(trained.params, trained.seed, trained.state())
        again.score(X)
        again.contributions(X[:2])

    @abstractmethod
    def _fit(self, X: Matrix, progress: Progress) -> None: ...

    @abstractmethod
    def _score(self, X: Matrix) -> Matrix: ...

    @abstractmethod
    def _contributions(self, X: Matrix) -> Matrix: ...

    def _note(self, text: str) -> None:
        self.notes_ = (*self.notes_, text)

    def _checked(self, X: Matrix) -> Matrix:
        if not self.n_features_:
            raise NotFitted(f"This {self.name} is not trained yet: call fit first.")
        X = as_matrix(X)
        if X.shape[1] != self.n_features_:
            raise SchemaMismatch(
                f"This {self.name} was trained on {self.n_features_} columns; these rows have {X.shape[1]}."
            )
        return X


def as_matrix(X: Matrix) -> Matrix:
    """View `X` as a read-only C-ordered float64 matrix (one kind of array: kernels compile once).

    Raises:
        SchemaMismatch: not two-dimensional.
    """
    X = np.ascontiguousarray(X, dtype=np.float64)
    if X.ndim != 2:
        raise SchemaMismatch(f"Rows come as a matrix of two dimensions, not {X.ndim}.")
    return read_only(X)


def read_only(array: Array) -> Array:
    """View an array as read-only."""
    view = array.view()
    view.flags.writeable = False
    return view


def _all_finite(X: Matrix) -> bool:
    """Check by blocks, on threads: no matrix of truth values, and no threads of BLAS that wait busily."""
    size = max(1, CELLS_AT_ONCE // X.shape[1])
    return all(map_blocks(lambda begin, end: bool(np.isfinite(X[begin:end]).all()), len(X), size))


def _ignore(_: float) -> None:
    """Report progress to nobody."""
