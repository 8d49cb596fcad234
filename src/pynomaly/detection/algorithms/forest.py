"""Isolation forest: rows that random cuts set apart early are anomalous (Liu, Ting & Zhou 2008)."""

from collections.abc import Mapping
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.contract import Algorithm, Matrix, Progress, State
from pynomaly.detection.algorithms.forest_kernels import average_path
from pynomaly.detection.algorithms.planes import PlaneTrees
from pynomaly.detection.algorithms.scaling import Scaling
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import run_blocks
from pynomaly.detection.algorithms.trees import MAX_NODES, Growth, Trees
from pynomaly.detection.parameters import rows_meant
from pynomaly.errors import FitFailed

SCORED_AT_ONCE = 16_384
CENTRED_ON = 10_000
AUTO_ROWS = 256


class IsolationForest(Algorithm):
    """Isolation forest (F. T. Liu, K. M. Ting, Z.-H. Zhou, "Isolation forest", ICDM 2008).

    Score: 2 ** -(mean path length / c), in (0, 1]; c is the mean path length of a random tree on
    `max_samples` rows. Rows that are like most others score about 0.5 and below. Equal to minus
    scikit-learn's `score_samples`.

    Values are centred on the median and compared as float32, so a row's score is the same in every batch;
    cuts are as fine as 1e-7 of a column's distance from its median. Time: O(n_trees * max_samples * log
    max_samples) to fit and O(n_trees * log max_samples) for each row.

    `extended=True` cuts by random hyperplanes (S. Hariri, M. Carrasco Kind, R. Brunner, "Extended isolation
    forest", 2019) through two columns each, drawn for each cut from those that vary: normal weights over
    the column's range among the rows to cut, and a cut uniform in the range of the sums. On the mean over
    real sets that was more accurate than planes through all columns, and than no planes; `max_features`
    has no effect then.

    `contributions` are exact Shapley values of the mean path length (S. Lundberg et al., "From local
    explanations to global understanding with explainable AI for trees", 2020, path-dependent: a cut of a
    column that is left out is followed both ways, by its training rows). They add up: their sum is
    log2(score) - log2(score of a row with the mean path length). Time: O(nodes) for each row, a fraction of
    a millisecond for 100 trees. Forests of more than 131,072 nodes (a higher `max_samples` than some 800)
    are explained by the cuts on the row's own way instead (Saabas 2014): each cut credits its column with
    what it takes off the expected path length, and the sum is the same. So are extended forests; what a
    plane takes off goes to its columns by how far each moves the row from the median to its side.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> forest = IsolationForest(seed=1).fit(X)
    >>> int(forest.contributions(np.array([[0.0, 8.0, 0.0]])).argmax())
    1
    """

    name = "isolation_forest"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        n, d = X.shape
        self._size, n_trees = self._rows_per_tree(n), int(self.params["n_trees"])
        if n_trees * (2 * self._size - 1) > MAX_NODES:
            raise FitFailed(
                f"{n_trees} trees of {self._size} rows are too large: lower n_trees or max_samples, "
                f"so that their product is at most {MAX_NODES // 2}."
            )
        generator = np.random.default_rng(self.seed)
        few = X if n <= CENTRED_ON else X[generator.choice(n, CENTRED_ON, replace=False)]
        self._scaling = Scaling.fit(few, "robust")
        how = Growth(self._size, max(1, int(self.params["max_features"] * d)), self.params["bootstrap"])
        seeds = generator.integers(0, 2**64, n_trees, dtype=np.uint64)
        inverse = 1.0 / self._scaling.unit
        self._trees = self._kind.grow(
            X, self._scaling.center, inverse, how, seeds, lambda share: progress(share / 4)
        )
        self._training_scores = self._score_blocks(X, progress)

    def _rows_per_tree(self, n: int) -> int:
        asked = self.params["max_samples"]
        size = rows_meant(asked, n, AUTO_ROWS)
        if asked != "auto" and size > n:
            self._note(f"Each tree was grown from all {n} rows, since there are not max_samples={asked}.")
        return min(n, max(2, size))

    @property
    def _kind(self) -> type[Trees] | type[PlaneTrees]:
        return PlaneTrees if self.params["extended"] else Trees

    @property
    def _norm(self) -> float:
        return len(self._trees) * (average_path(float(self._size)) or 1.0)

    def _score(self, X: Matrix) -> Matrix:
        return self._score_blocks(X)

    def _score_blocks(self, X: Matrix, progress: Progress | None = None) -> Matrix:
        out, center, inverse = np.empty(len(X)), self._scaling.center, 1.0 / self._scaling.unit

        def work(begin: int, end: int) -> None:
            self._trees.sum_paths(X, center, inverse, out, begin, end)

        run_blocks(work, len(X), SCORED_AT_ONCE, progress, 0.25)
        out /= -self._norm
        return np.exp2(out, out=out)

    def _contributions(self, X: Matrix) -> Matrix:
        out = self._trees.attribute_paths(X, self._scaling.center, 1.0 / self._scaling.unit)
        out /= self._norm
        return out

    @classmethod
    def warm_up(cls, X: Matrix) -> None:
        """Run the kernels for shallow trees, for deep ones, and for planes."""
        super().warm_up(X)
        planes = cls(n_trees=1, extended=True).fit(X)
        planes.contributions(X[:2])
        deep = cls(n_trees=1).fit(X)
        deep._trees = cast(Trees, deep._trees).as_if_large()
        deep.score(X)
        deep.contributions(X[:2])

    def state(self) -> State:
        """Give the trees' nodes (see `forest_kernels`), their rows, and the columns' centres and units."""
        return {**self._trees.state(), "size": np.array([self._size]), **self._scaling.state()}

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained forest; its nodes are checked, so that kernels read no memory but the trees'."""
        forest, stored = cls(seed=seed, **params), Stored(cls.name, state)
        forest._scaling = Scaling.from_state(stored, "robust")
        forest.n_features_ = len(forest._scaling.center)
        forest._size = int(stored.take("size", np.int64, (1,), 2, 2**31)[0])
        forest._trees = forest._kind.from_state(stored, forest.n_features_)
        return forest
