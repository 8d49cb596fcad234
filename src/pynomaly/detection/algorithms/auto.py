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

FEW = 20
"""With fewer rows, the second stage learns from all of them."""

MOST_MIXED = 100
"""In more columns the Gaussian mixture is left out: it takes O(d**3), and needs many rows."""

SCORED_AT_ONCE = 65_536
FITTED = 0.5
"""Share of the work that is done when the rows of a large table remain to be scored."""

FAR: Spec = ("knn", {"n_neighbors": 0.1, "method": "mean", "scaling": "robust"})
ISOLATED: Spec = ("isolation_forest", {})

BULK: Spec = ("elliptic_envelope", {})
IN_A_TAIL: Spec = ("ecod", {})
FAR_FROM_KEPT: Spec = ("knn", {"n_neighbors": 0.1, "method": "mean", "scaling": "rank"})
MIXED: Spec = ("gmm", {})
PROJECTED: Spec = ("loda", {})

FIRST = (BULK, IN_A_TAIL, FAR, ISOLATED)
STAYING = 2
"""Of the first stage, the members that the score is made of, too …"""

SCREEN = [0, 2, 3]
"""… and those that say which rows are conspicuous: all but ECOD."""

SECOND = ((FAR_FROM_KEPT, 0.5), (FAR_FROM_KEPT, 0.8), (MIXED, 0.65), (PROJECTED, 0.65))
"""What learns from the least conspicuous rows, and from what share of them."""

SAID_MIXED = (
    "auto combined elliptic_envelope and ecod of all rows with knn, gmm and loda of the least conspicuous "
    "ones, since the training rows may hold anomalies (clean_training is false)."
)
SAID_CLEAN = (
    "auto combined the nearest rows (knn, three ways) with gmm, since the training rows are said to hold no "
    "anomalies (clean_training is true)."
)

CLEAN: tuple[Spec, ...] = (
    ("knn", {"n_neighbors": 1, "scaling": "robust"}),
    ("knn", {"n_neighbors": 1, "scaling": "rank"}),
    ("knn", {"n_neighbors": 5, "method": "mean", "scaling": "rank"}),
    ("gmm", {"normal_share": 1.0}),
)


class Auto(Combined):
    """A fixed ensemble that works well on most tables (docs/decisions/0016 tells how it was chosen).

    With `clean_training=False`, the training rows may hold the anomalies. Three quick algorithms look at all
    of them: distance to a large neighbourhood (a tenth of the rows, so that a clump of anomalies is no
    shelter), Mahalanobis distance from the bulk, and isolation forest. The rows that are least conspicuous
    to the three together are taken as normal, and a second stage learns from these alone: the distance to a
    large neighbourhood among them, by ranks, once among half of the rows and once among 80 %; and of 65 %, a
    Gaussian mixture, and how thin random projections are (LODA). The score is the mean level (see `Levels`)
    of these four, of the distance from the bulk, and of the tails of the columns (ECOD).

    With `clean_training=True`, the training rows are normal, and small neighbourhoods say most: the score is
    the mean level of the distance to the nearest row, in robust units and by ranks, of the mean distance to
    the five nearest, by ranks, and of a Gaussian mixture.

    Above 100 columns the mixture is left out.
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
        if self.params["clean_training"]:
            return [spec for spec in CLEAN if self._may(spec)]
        return [*FIRST[:STAYING], *(spec for spec, _ in SECOND if self._may(spec))]

    def _may(self, spec: Spec) -> bool:
        return spec[0] != "gmm" or self.n_features_ <= MOST_MIXED

    def _weights(self, levels: Matrix) -> Matrix:
        return np.full(levels.shape, 1 / len(levels))

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
        specs = self._specs()
        return self._trained(specs, [X] * len(specs), X, progress)

    def _two_stages(self, X: Matrix, progress: Progress) -> Trained:
        some = X[self._some(len(X), REFERENCES)]
        first = self._trained(FIRST, [some if s is FAR else X for s in FIRST], X, lambda p: progress(0.6 * p))
        order = np.argsort(first.levels[SCREEN].sum(axis=0), kind="stable")
        specs = self._specs()[STAYING:]
        tables = [self._least(X, order, spec, share) for spec, share in SECOND if self._may(spec)]
        return first[:STAYING] + self._trained(specs, tables, X, lambda p: progress(0.6 + 0.4 * p))

    def _least(self, X: Matrix, order: NDArray[np.intp], spec: Spec, share: float) -> Matrix:
        """Give a share of the rows, by how conspicuous they are; of those that are references, some."""
        n = len(X)
        kept = np.sort(order if n < FEW else order[: round(share * n)])
        return X[kept[self._some(len(kept), REFERENCES if spec is FAR_FROM_KEPT else n)]]

    def _some(self, n: int, most: int) -> NDArray[np.intp]:
        """Choose at most so many of n rows at random, in their order."""
        if n <= most:
            return np.arange(n)
        return np.sort(np.random.default_rng(self.seed).choice(n, most, replace=False))

    def _say(self, n: int, looked_at: int) -> None:
        self._note(SAID_CLEAN if self.params["clean_training"] else SAID_MIXED)
        if not self._may(MIXED):
            self._note(f"auto left out gmm, since there are more than {MOST_MIXED} columns.")
        if looked_at < n:
            self._note(f"auto learned from a random sample of {looked_at:,} of the {n:,} rows.")

    def _score_blocks(self, X: Matrix, progress: Progress) -> Matrix:
        out = np.empty(len(X))
        for begin in range(0, len(X), SCORED_AT_ONCE):
            end = min(begin + SCORED_AT_ONCE, len(X))
            out[begin:end] = self._score(X[begin:end])
            progress(FITTED + (1 - FITTED) * end / len(X))
        return out
