"""An ensemble of any algorithms, on comparable scores (Aggarwal & Sathe 2015)."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pynomaly.detection import catalogue
from pynomaly.detection.algorithms.combined import Combined, Spec
from pynomaly.detection.algorithms.contract import Matrix, Progress

Weigh = Callable[[Matrix, Matrix, Sequence[Matrix]], Matrix]
"""Gives weights, shape (members, m), for levels of that shape, the members' weights, and their groups."""


class Ensemble(Combined):
    """An ensemble of detectors (C. Aggarwal, S. Sathe, "Theoretical foundations and algorithms for outlier
    ensembles", SIGKDD Explorations 2015).

    Each member's score becomes a level: minus the natural logarithm of the share of training rows that score
    at least as high (see `levels.Levels`), so that one member's 5 means what another's does. `combine` makes
    one score of them:

    - mean: the weighted mean of the levels; steady, the best first choice.
    - max, median: the highest level, or the middle one, of the members with a weight above 0.
    - rank: the weighted mean of 1 - exp(-level), the share of training rows that score lower.
    - aom (average of maximum), moa (maximum of average): members are put at random into `groups` groups; the
      mean of the groups' highest levels, or the highest of the groups' weighted means.

    Members are trained in parallel. Time and memory: the sum of the members'.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> ensemble = Ensemble(members="hbos, knn(n_neighbors=10)", combine="max").fit(X)
    >>> bool(ensemble.score(np.array([[9.0, 0.0]]))[0] > ensemble.training_scores_.max())
    True
    """

    name = "ensemble"

    def _fit(self, X: Matrix, progress: Progress) -> None:
        specs = self._specs()
        trained = self._trained(specs, [X] * len(specs), X, progress)
        self._keep(trained, np.arange(len(X)))
        for member in self._members:
            for note in member.algorithm.notes_:
                name = member.algorithm.name
                self._note(note if note.startswith(name) else f"{name}: {note}")
        self._training_scores = self._combine(trained.levels)

    def _specs(self) -> Sequence[Spec]:
        return [catalogue.member(spelled) for spelled in self.params["members"]]

    def _member_weights(self) -> Matrix:
        """Give each member's weight, shape (members,), their sum 1."""
        given, count = self.params["weights"], len(self.params["members"])
        weights = np.array(given or (1.0,) * count, dtype=np.float64)
        weights /= weights.max()
        return np.asarray(weights / weights.sum())

    def _groups(self) -> list[Matrix]:
        """Put the members that count into groups at random: one array of 0 and 1, (members,), for each."""
        counting = np.flatnonzero(self._member_weights())
        order = np.random.default_rng(self.seed).permutation(counting)
        parts = np.array_split(order, min(int(self.params["groups"]), len(order)))
        places = np.arange(len(self.params["members"]))
        return [np.isin(places, part).astype(np.float64) for part in parts]

    def _weights(self, levels: Matrix) -> Matrix:
        return WEIGHTS[self.params["combine"]](levels, self._member_weights(), self._groups())

    def _combine(self, levels: Matrix) -> Matrix:
        return super()._combine(-np.expm1(-levels) if self.params["combine"] == "rank" else levels)


def _mean(levels: Matrix, weights: Matrix, _: Sequence[Matrix]) -> Matrix:
    return np.repeat(weights[:, None], levels.shape[1], axis=1)


def _highest(levels: Matrix, weights: Matrix, _: Sequence[Matrix]) -> Matrix:
    return _winner(np.where(weights[:, None] > 0, levels, -np.inf))


def _middle(levels: Matrix, weights: Matrix, _: Sequence[Matrix]) -> Matrix:
    order = np.argsort(np.where(weights[:, None] > 0, levels, np.inf), axis=0, kind="stable")
    count, columns = int((weights > 0).sum()), np.arange(levels.shape[1])
    out = np.zeros(levels.shape)
    for place in ((count - 1) // 2, count // 2):
        out[order[place], columns] += 0.5
    return out


def _average_of_maximum(levels: Matrix, _: Matrix, groups: Sequence[Matrix]) -> Matrix:
    out = np.zeros(levels.shape)
    for group in groups:
        out += _winner(np.where(group[:, None] > 0, levels, -np.inf)) / len(groups)
    return out


def _maximum_of_average(levels: Matrix, weights: Matrix, groups: Sequence[Matrix]) -> Matrix:
    shares = np.array([group * weights / (group * weights).sum() for group in groups])
    means = np.array([np.einsum("k,km->m", share, levels) for share in shares])
    return np.asarray(shares[means.argmax(axis=0)].T)


def _winner(levels: Matrix) -> Matrix:
    """Give 1 to the member with the highest level of each row, else 0."""
    out = np.zeros(levels.shape)
    out[levels.argmax(axis=0), np.arange(levels.shape[1])] = 1.0
    return out


WEIGHTS: Mapping[str, Weigh] = {
    "mean": _mean,
    "rank": _mean,
    "max": _highest,
    "median": _middle,
    "aom": _average_of_maximum,
    "moa": _maximum_of_average,
}
