"""Ensembles: what each way to combine gives, weights, groups, levels, and members that are checked."""

import numpy as np
import pytest

from pynomaly.detection.algorithms.combined import shared_out
from pynomaly.detection.algorithms.levels import BODY, TAIL, Levels
from pynomaly.detection.algorithms.stored import Stored
from pynomaly.detection.catalogue import create
from pynomaly.errors import BadBundle, BadParameter

MEMBERS = "hbos, knn(n_neighbors=10), isolation_forest(n_trees=20), elliptic_envelope"
X = np.random.default_rng(0).normal(size=(400, 3))
NEW = np.random.default_rng(1).normal(size=(60, 3)) * 2


def fitted(**params):
    return create("ensemble", {"members": MEMBERS, **params}, seed=5).fit(X)


@pytest.fixture(scope="module")
def levels():
    """Each member's level of the new rows, trained on its own."""
    out = []
    for name, params in (
        ("hbos", {}),
        ("knn", {"n_neighbors": 10}),
        ("isolation_forest", {"n_trees": 20}),
        ("elliptic_envelope", {}),
    ):
        alone = create(name, params, seed=5).fit(X)
        out.append(Levels.fit(alone.training_scores_).apply(alone.score(NEW)))
    return np.array(out)


def test_mean_is_the_weighted_mean_of_levels(levels):
    assert fitted().score(NEW) == pytest.approx(levels.mean(axis=0))
    weighted = fitted(weights=[1, 0, 2, 1]).score(NEW)
    assert weighted == pytest.approx(np.average(levels, axis=0, weights=[1, 0, 2, 1]))


def test_max_and_median_leave_out_members_without_weight(levels):
    assert fitted(combine="max").score(NEW) == pytest.approx(levels.max(axis=0))
    assert fitted(combine="median").score(NEW) == pytest.approx(np.median(levels, axis=0))
    some = fitted(combine="max", weights=np.array([1, 0, 1, 0])).score(NEW)
    assert some == pytest.approx(levels[[0, 2]].max(axis=0))
    three = fitted(combine="median", weights=[1, 0, 1, 1]).score(NEW)
    assert three == pytest.approx(np.median(levels[[0, 2, 3]], axis=0))


def test_rank_is_the_mean_share_of_lower_training_scores(levels):
    assert fitted(combine="rank").score(NEW) == pytest.approx((1 - np.exp(-levels)).mean(axis=0))


def test_groups_have_their_maximum_averaged_or_their_average_maximised(levels):
    groups = [np.flatnonzero(group) for group in fitted()._groups()]
    assert sorted(np.concatenate(groups)) == [0, 1, 2, 3]
    aom = np.mean([levels[group].max(axis=0) for group in groups], axis=0)
    moa = np.max([levels[group].mean(axis=0) for group in groups], axis=0)
    assert fitted(combine="aom").score(NEW) == pytest.approx(aom)
    assert fitted(combine="moa").score(NEW) == pytest.approx(moa)
    assert fitted(combine="aom", groups=1).score(NEW) == pytest.approx(levels.max(axis=0))
    assert fitted(combine="moa", groups=1).score(NEW) == pytest.approx(levels.mean(axis=0))


@pytest.mark.parametrize("weights", [[1, 2], [0, 0, 0, 0], [1] * 5])
def test_weights_that_do_not_fit_the_members_are_refused(weights):
    with pytest.raises(BadParameter, match="one number for each of the 4 members, not all 0"):
        fitted(weights=weights)


@pytest.mark.parametrize("combine", ["mean", "max", "median", "rank", "aom", "moa"])
def test_contributions_add_up_to_the_score(combine):
    ensemble = fitted(combine=combine)
    far = NEW + np.array([0, 12, 0])
    parts = ensemble.contributions(far)
    if combine != "rank":
        assert parts.sum(axis=1) == pytest.approx(ensemble.score(far))
    assert (parts.argmax(axis=1) == 1).mean() > 0.95


def test_members_notes_are_told_with_their_names():
    few = create("ensemble", {"members": "hbos, knn(n_neighbors=50)"}).fit(X[:20])
    assert any(note.startswith("knn: Each row was compared with all 19") for note in few.notes_)


def test_a_state_without_one_member_is_refused():
    ensemble = fitted()
    state = {name: a for name, a in ensemble.state().items() if not name.startswith("2.")}
    with pytest.raises(BadBundle):
        type(ensemble).from_state(ensemble.params, 5, state)


def test_members_of_different_widths_are_refused():
    ensemble, other = fitted(), create("ensemble", {"members": MEMBERS}).fit(X[:, :2])
    swapped = {n: a for n, a in other.state().items() if n.startswith("1.")}
    with pytest.raises(BadBundle, match="does not fit the members"):
        type(ensemble).from_state(ensemble.params, 5, {**ensemble.state(), **swapped})


class TestLevels:
    def test_is_minus_the_log_of_the_share_that_scores_at_least_as_high(self):
        scores = np.random.default_rng(2).normal(size=300).round(1)
        shares = [(1 + (scores >= s).sum()) / 301 for s in scores]
        assert Levels.fit(scores).apply(scores) == pytest.approx(-np.log(shares))

    def test_keeps_the_tail_of_many_scores(self):
        scores = np.random.default_rng(3).normal(size=100_000)
        levels = Levels.fit(scores)
        assert len(levels.scores) <= TAIL + BODY
        highest = np.sort(scores)[-TAIL:]
        shares = [(1 + (scores >= s).sum()) / 100_001 for s in highest]
        assert levels.apply(highest) == pytest.approx(-np.log(shares))
        assert levels.apply(np.sort(scores)[::97])[:500] == pytest.approx(
            -np.log(1 - np.arange(0, 100_000, 97) / 100_001)[:500], abs=2e-3
        )

    def test_rises_beyond_the_highest_score_and_stays_finite(self):
        levels = Levels.fit(np.random.default_rng(4).normal(size=500))
        beyond = levels.apply(np.array([3.0, 5.0, 50.0, 1e300, np.finfo(float).max]))
        assert (np.diff(beyond[:4]) > 0).all()
        assert np.isfinite(beyond).all()
        assert levels.apply(np.array([-1e300])) == [pytest.approx(0.0, abs=1e-12)]

    def test_of_equal_scores_tells_higher_ones_apart(self):
        levels = Levels.fit(np.full(30, 2.0))
        same, more, most = levels.apply(np.array([2.0, 2.1, 3.0]))
        assert same < more < most

    def test_unordered_arrays_are_refused(self):
        state = Levels.fit(X[:, 0]).state()
        for name in ("scores", "levels"):
            changed = {f"it.{key}": a[::-1] if key == name else a for key, a in state.items()}
            with pytest.raises(BadBundle, match="not in order"):
                Levels.from_state(Stored("ensemble", changed), "it.")


def test_rows_without_a_raising_column_are_shared_out_evenly():
    parts = shared_out(np.array([[1.0, 3.0], [-1.0, -2.0], [-1.0, 5.0]]), np.array([2.0, 6.0, 1.0]))
    assert parts == pytest.approx(np.array([[0.5, 1.5], [3.0, 3.0], [0.0, 1.0]]))
