"""The detector that needs no choice: a fixed recipe, routed by what the table shows and one question."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection.algorithms.combined import Combined, Spec, Trained
from pynomaly.detection.algorithms.contract import Matrix, Progress

LOOKED_AT = 20_000
"""It learns from at most so many rows, chosen at random."""

REFERENCES = 1_000
"""Rows that stand for all of them where the distance to a large neighbourhood counts."""

KEPT = 0.65
"""Share of the rows, the least conspicuous ones, that the second stage learns from."""

FEW = 20
"""With fewer rows, the second stage learns from all of them."""

SCORED_AT_ONCE = 65_536
FITTED = 0.5
"""Share of the work that is done when the rows of a large table remain to be scored."""

MIXED = (
    "auto combined Mahalanobis distance from the bulk, the tails of the columns, and distance from the 65 % "
    "least conspicuous rows, since the training rows may hold anomalies (clean_training is false)."
)
CLEAN = (
    "auto combined the distances to the nearest row and to the five nearest by ranks, since the training "
    "rows are said to hold no anomalies (clean_training is true)."
)

BULK: Spec = ("elliptic_envelope", {})
FAR: Spec = ("knn", {"n_neighbors": 0.1, "method": "mean", "scaling": "robust"})
ISOLATED: Spec = ("isolation_forest", {})
IN_A_TAIL: Spec = ("ecod", {})
FAR_FROM_KEPT: Spec = ("knn", {"n_neighbors": 0.1, "method": "mean", "scaling": "rank"})

NEAREST: Spec = ("knn", {"n_neighbors": 1, "scaling": "robust"})
NEAR: Spec = ("knn", {"n_neighbors": 5, "method": "mean", "scaling": "rank"})

SCREEN = [0, 2, 3]
"""Of the algorithms of the first stage, those that say which rows are conspicuous: all but ECOD."""

MIXED_MEMBERS, MIXED_WEIGHTS = (BULK, IN_A_TAIL, FAR_FROM_KEPT), (0.25, 0.25, 0.5)


class Auto(Combined):
    """A fixed ensemble that works well on most tables (docs/decisions/0016 tells how it was chosen).

    With `clean_training=False`, the training rows may hold the anomalies. Three quick algorithms look at all
    of them: distance to a large neighbourhood (a tenth of the rows, so that a clump of anomalies is no
    shelter), Mahalanobis distance from the bulk, and isolation forest. The 65 % of the rows that are
    least conspicuous to the three together are taken as normal, and a second stage learns from these alone:
    the distance to a large neighbourhood among them, by ranks. The score is the mean level (see `Levels`) of
    this distance, which counts twice, of that from the bulk, and of the tails of the columns (ECOD).

    With `clean_training=True`, the training rows are normal, and small neighbourhoods say most: the score is
    the mean level of the distance to the nearest row, in robust units, and of the mean distance to the five
    nearest, by ranks.

    It learns from at most 20,000 rows, and its large neighbourhoods from at most 1,000 (said in `notes_`).
    `contributions` as in `Combined`. Time: linear in the rows.

    Sources: trimming and refitting after P. Rousseeuw, K. Van Driessen (1999); averaging different detectors
    on comparable scores after C. Aggarwal, S. Sathe (2015); the members' own are in their classes.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> auto = Auto().fit(X)
    >>> bool(auto.score(np.array([[0.0, 9.0, 0.0]]))[0] > auto.training_scores_.max())
    True
    """

    name = "auto"

    def _specs(self) -> Sequence[Spec]:
        return (NEAREST, NEAR) if self.params["clean_training"] else MIXED_MEMBERS

    def _weights(self, levels: Matrix) -> Matrix:
        weights = (0.5, 0.5) if self.params["clean_training"] else MIXED_WEIGHTS
        return np.repeat(np.array(weights)[:, None], levels.shape[1], axis=1)

    def _fit(self, X: Matrix, progress: Progress) -> None:
        rows = self._some(len(X), LOOKED_AT)
        table = X[rows] if len(rows) < len(X) else X
        train = self._near if self.params["clean_training"] else self._two_stages
        trained = train(table, lambda share: progress(FITTED * share))
        self._keep(trained, rows)
        self._say(len(X), len(table))
        whole = table is X
        self._training_scores = self._combine(trained.levels) if whole else self._score_blocks(X, progress)
        progress(1.0)

    def _near(self, X: Matrix, progress: Progress) -> Trained:
        return self._trained(self._specs(), (X, X), X, progress)

    def _two_stages(self, X: Matrix, progress: Progress) -> Trained:
        first = self._trained(
            (BULK, IN_A_TAIL, FAR, ISOLATED),
            (X, X, X[self._some(len(X), REFERENCES)], X),
            X,
            lambda share: progress(0.6 * share),
        )
        conspicuous = first.levels[SCREEN].sum(axis=0)
        kept = X if len(X) < FEW else X[conspicuous <= np.quantile(conspicuous, KEPT)]
        second = self._trained(
            (FAR_FROM_KEPT,),
            (kept[self._some(len(kept), REFERENCES)],),
            X,
            lambda share: progress(0.6 + 0.4 * share),
        )
        return first[:2] + second

    def _some(self, n: int, most: int) -> NDArray[np.intp]:
        """Choose at most so many of n rows at random, in their order."""
        if n <= most:
            return np.arange(n)
        return np.sort(np.random.default_rng(self.seed).choice(n, most, replace=False))

    def _say(self, n: int, looked_at: int) -> None:
        self._note(CLEAN if self.params["clean_training"] else MIXED)
        if looked_at < n:
            self._note(f"auto learned from a random sample of {looked_at:,} of the {n:,} rows.")

    def _score_blocks(self, X: Matrix, progress: Progress) -> Matrix:
        out = np.empty(len(X))
        for begin in range(0, len(X), SCORED_AT_ONCE):
            end = min(begin + SCORED_AT_ONCE, len(X))
            out[begin:end] = self._score(X[begin:end])
            progress(FITTED + (1 - FITTED) * end / len(X))
        return out
