"""What detectors made of several detectors have in common."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pynomaly.detection import catalogue
from pynomaly.detection.algorithms.contract import Algorithm, Matrix, MemberScores, Progress, State
from pynomaly.detection.algorithms.levels import Levels
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.algorithms.threads import thread_count, workers
from pynomaly.detection.parameters import Value

Spec = tuple[str, Mapping[str, Value]]
"""An algorithm's name, and those of its parameters that are not the defaults."""


@dataclass(frozen=True)
class Member:
    """A trained algorithm, and what its scores mean."""

    algorithm: Algorithm
    levels: Levels

    def level(self, X: Matrix) -> Matrix:
        """Give the level of each row of `X`, (m, d): float64, shape (m,)."""
        return self.levels.apply(self.algorithm.score(X))


@dataclass(frozen=True)
class Trained:
    """Members, and their scores and levels of n rows: each of shape (members, n)."""

    members: list[Member]
    scores: Matrix
    levels: Matrix

    def __getitem__(self, part: slice) -> "Trained":
        """Give some of the members."""
        return Trained(self.members[part], self.scores[part], self.levels[part])

    def __add__(self, other: "Trained") -> "Trained":
        """Put the members of two together."""
        scores = np.concatenate([self.scores, other.scores])
        return Trained([*self.members, *other.members], scores, np.concatenate([self.levels, other.levels]))


class Combined(Algorithm):
    """A detector that scores by several others; subclasses say which, and how their levels are combined.

    Every member's score becomes a level (see `Levels`), and the score is a weighted sum of the levels; a
    member's weight may depend on the row's levels.

    `contributions`: each member's level is shared out in proportion to the member's own contributions, as
    far as these raise its score, and summed with the members' weights. They add up to the score, unless no
    column raises a member's score.
    """

    _members: list[Member]

    @abstractmethod
    def _specs(self) -> Sequence[Spec]:
        """Say which algorithms the members are."""

    @abstractmethod
    def _weights(self, levels: Matrix) -> Matrix:
        """Say how much each member counts in each row: shape (members, m), of levels of that shape."""

    @property
    def thread_safe(self) -> bool:
        """Whether all members are."""
        return all(member.algorithm.thread_safe for member in self._members)

    def _trained(
        self, specs: Sequence[Spec], tables: Sequence[Matrix], X: Matrix, progress: Progress
    ) -> Trained:
        """Train one member for each of `specs` on its own table, in parallel.

        The scores and levels are those of the rows of `X`, (n, d), which the levels refer to.
        """
        made = [catalogue.create(name, dict(params), self.seed) for name, params in specs]
        shares = np.zeros(len(made))
        scores, levels = np.empty((len(made), len(X))), np.empty((len(made), len(X)))

        def fit(place: int) -> Member:
            def tell(share: float) -> None:
                shares[place] = share
                progress(float(shares.mean()))

            algorithm, table = made[place].fit(tables[place], tell), tables[place]
            scores[place] = algorithm.training_scores_ if table is X else algorithm.score(X)
            member = Member(algorithm, Levels.fit(scores[place]))
            levels[place] = member.levels.apply(scores[place])
            return member

        threads = min(thread_count(), len(made)) if all(member.thread_safe for member in made) else 1
        if threads == 1:
            return Trained([fit(place) for place in range(len(made))], scores, levels)
        with workers(threads) as pool:
            return Trained(list(pool.map(fit, range(len(made)))), scores, levels)

    def _keep(self, trained: Trained, rows: NDArray[np.intp]) -> None:
        """Keep the members; `rows` says which training rows, shape (n,), the scores are of."""
        self._members, self.members_ = trained.members, MemberScores(trained.scores, rows)

    def _combine(self, levels: Matrix) -> Matrix:
        total = np.zeros(levels.shape[1])
        for weight, level in zip(self._weights(levels), levels, strict=True):
            total += weight * level
        return total

    def _levels(self, X: Matrix) -> Matrix:
        return np.array([member.level(X) for member in self._members])

    def _score(self, X: Matrix) -> Matrix:
        return self._combine(self._levels(X))

    def _contributions(self, X: Matrix) -> Matrix:
        levels = self._levels(X)
        out = np.zeros(X.shape)
        for member, part in zip(self._members, self._weights(levels) * levels, strict=True):
            out += shared_out(member.algorithm.contributions(X), part)
        return out

    def state(self) -> State:
        """Give the members' states and levels, each under its place: `0.…`, `1.…`."""
        state: State = {"features": np.array([self.n_features_])}
        for place, member in enumerate(self._members):
            for name, array in member.algorithm.state().items():
                state[f"{place}.algorithm.{name}"] = array
            for name, array in member.levels.state().items():
                state[f"{place}.levels.{name}"] = array
        return state

    def _restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take the members back; their names come from `_specs`."""
        stored = Stored(self.name, state)
        self.n_features_ = int(stored.take("features", np.int64, (1,), 1, 2**31)[0])
        self._members = []
        for place, (name, params) in enumerate(self._specs()):
            under = f"{place}.algorithm."
            arrays = {key.removeprefix(under): a for key, a in state.items() if key.startswith(under)}
            checked = catalogue.check_parameters(name, params)
            member = catalogue.load_class(name).from_state(checked, self.seed, arrays)
            if member.n_features_ != self.n_features_:
                raise stored.bad("features", "does not fit the members")
            self._members.append(Member(member, Levels.from_state(stored, f"{place}.levels.")))

    @classmethod
    def from_state(cls, params: Mapping[str, Any], seed: int, state: Mapping[str, NDArray[Any]]) -> Self:
        """Make a trained detector of its members' states."""
        made = cls(seed=seed, **params)
        made._restore(state)
        return made


def shared_out(contributions: Matrix, totals: Matrix) -> Matrix:
    """Scale each row of contributions, (m, d), so that those above 0 add up to the row's total, (m,).

    Rows without any above 0 are shared out evenly.
    """
    raising = np.maximum(contributions, 0.0)
    largest = raising.max(axis=1, keepdims=True)
    raising = np.where(largest > 0, raising / np.where(largest > 0, largest, 1.0), 1.0)
    shared: Matrix = raising * (totals / raising.sum(axis=1))[:, None]
    return shared
