"""The isolation forest: equal to scikit-learn's from the same trees, as accurate with its own."""

import math
import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest as Peer

from pynomaly.detection.algorithms import trees
from pynomaly.detection.algorithms.forest import IsolationForest
from pynomaly.detection.algorithms.forest_kernels import average_path, draw_rows, partition
from pynomaly.detection.evaluate import auc_roc
from pynomaly.errors import BadBundle, FitFailed


def table(n=2000, d=6, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ rng.normal(size=(d, d))
    y = np.zeros(n, int)
    y[: n // 20] = 1
    X[y == 1] += rng.normal(size=(n // 20, d)) * 2.5
    return X, y


def peer_state(peer):
    """Convert a fitted scikit-learn forest (all columns in each tree) into our arrays."""
    parts, roots = {name: [] for name in ("feature", "threshold", "left", "value")}, [0]
    for estimator in peer.estimators_:
        tree = estimator.tree_
        # breadth first, so that children are neighbours and come after their parent
        order, place = [0], 0
        left = np.zeros(tree.node_count, np.int32)
        depth = {0: 0}
        while place < len(order):
            node = order[place]
            if tree.children_left[node] >= 0:
                left[place] = len(order)
                for child in (tree.children_left[node], tree.children_right[node]):
                    depth[child] = depth[node] + 1
                    order.append(child)
            place += 1
        value = np.zeros(tree.node_count)
        weight = tree.n_node_samples[order].astype(float)
        for i in range(tree.node_count - 1, -1, -1):
            a = left[i]
            leaf = depth[order[i]] + average_path(weight[i])
            value[i] = (weight[a : a + 2] @ value[a : a + 2]) / weight[i] if a else leaf
        single = tree.threshold[order].astype(np.float32)
        below = np.where(single > tree.threshold[order], np.nextafter(single, np.float32(-np.inf)), single)
        parts["feature"].append(np.maximum(tree.feature[order], 0).astype(np.int32))
        parts["threshold"].append(below.astype(np.float32))
        parts["left"].append(left)
        parts["value"].append(value.astype(np.float32))
        roots.append(roots[-1] + tree.node_count)
    d = peer.n_features_in_
    arrays = {name: np.concatenate(part) for name, part in parts.items()}
    return {
        **arrays,
        "roots": np.array(roots),
        "size": np.array([peer.max_samples_]),
        "center": np.zeros(d),
        "unit": np.ones(d),
    }


@pytest.mark.parametrize("max_samples", [64, 256, 2000])
def test_scores_of_a_scikit_learn_forest_agree(max_samples):
    X, _ = table()
    peer = Peer(n_estimators=60, max_samples=max_samples, random_state=1).fit(X)
    ours = IsolationForest.from_state({}, 0, peer_state(peer))
    assert np.abs(ours.score(X) + peer.score_samples(X)).max() < 1e-6


def test_is_as_accurate_as_scikit_learn():
    ours, peers = [], []
    for seed in range(8):
        X, y = table(seed=seed % 2)
        ours.append(auc_roc(y, IsolationForest(seed=seed).fit(X).training_scores_))
        peers.append(auc_roc(y, -Peer(random_state=seed).fit(X).score_samples(X)))
    spread = math.sqrt(
        (np.var(ours[::2]) + np.var(peers[::2])) / 4 + (np.var(ours[1::2]) + np.var(peers[1::2])) / 4
    )
    assert abs(np.mean(ours) - np.mean(peers)) < 4 * spread + 0.002


def test_scores_have_the_distribution_of_scikit_learn():
    X, _ = table(seed=3)
    ours = IsolationForest(n_trees=1000, seed=5).fit(X).training_scores_
    peer = -Peer(n_estimators=1000, random_state=5).fit(X).score_samples(X)
    assert abs(np.log2(ours / peer).mean()) < 0.01
    assert np.abs(ours - peer).max() < 0.04
    assert np.corrcoef(ours, peer)[0, 1] > 0.995


def test_average_path_is_that_of_the_paper():
    assert [average_path(n) for n in (0, 1, 2)] == [0, 0, 1]
    assert average_path(256) == pytest.approx(10.2448, abs=1e-4)


@pytest.mark.parametrize(
    ("size", "d", "depth"),
    [(2, 3, 1), (4, 3, 2), (8, 3, 3), (16, 1, 4), (750, 3, 10), (256, 60, 8), (256, 500, 8)],
)
def test_heaps_and_nodes_give_the_same_bits(size, d, depth):
    X, _ = table(1500, d)
    forest = IsolationForest(max_samples=size, seed=2).fit(X)
    assert forest._trees.depth == depth
    assert forest._trees._heaps is not None
    heaps = forest.score(X)
    forest._trees = forest._trees.as_if_large()
    assert np.array_equal(forest.score(X), heaps)


def test_deep_trees_are_walked_node_by_node():
    X, _ = table(6000, 3)
    forest = IsolationForest(n_trees=5, max_samples=1.0).fit(X)
    assert forest._trees.depth > 12
    assert forest._trees._heaps is None
    again = IsolationForest.from_state(forest.params, 0, forest.state())
    assert np.array_equal(again.score(X), forest.training_scores_)


@pytest.mark.parametrize("cuts", [False, True])
def test_contributions_add_up_to_the_score(cuts, monkeypatch):
    monkeypatch.setattr(trees, "MAX_SHAPLEY_NODES", 0 if cuts else 2**17)
    X, _ = table()
    forest = IsolationForest(seed=4).fit(X)
    roots = forest._trees.value[forest._trees.roots[:-1]].astype(float).sum()
    start = -roots / (100 * average_path(256.0))
    rest = np.log2(forest.score(X)) - forest.contributions(X).sum(axis=1)
    assert np.ptp(rest) < 1e-9
    assert rest[0] == pytest.approx(start, abs=1e-6)


def test_large_forests_are_explained_by_the_cuts_on_the_way():
    X, _ = table(1000)
    forest = IsolationForest(max_samples=1.0, n_trees=3, seed=4).fit(X)
    exact = forest.contributions(X[:50])
    forest._trees = forest._trees.as_if_large()
    by_cuts = forest.contributions(X[:50])
    assert not np.allclose(by_cuts, exact)
    assert np.allclose(by_cuts.sum(axis=1), exact.sum(axis=1), atol=1e-5)


@pytest.mark.parametrize("d", [10, 50])
def test_explains_one_row_in_a_millisecond(d):
    X, _ = table(1000, d)
    forest = IsolationForest().fit(X)
    forest.contributions(X[:1])
    times = []
    for _ in range(50):
        began = time.perf_counter()
        forest.contributions(X[:1])
        times.append(time.perf_counter() - began)
    assert np.median(times) < 1e-3


def test_expected_path_is_the_mean_of_the_rows_that_grew_the_tree():
    X = np.random.default_rng(0).normal(size=(200, 2))
    forest = IsolationForest(n_trees=1, max_samples=200, seed=1).fit(X)
    mean_path = -np.log2(forest.training_scores_).mean() * average_path(200.0)
    assert forest._trees.value[0] == pytest.approx(mean_path, rel=1e-5)


def test_column_share_and_bootstrap_are_honoured():
    X, _ = table(500, 10)
    narrow = IsolationForest(max_features=0.2, n_trees=30).fit(X)
    for tree in range(30):
        part = slice(*narrow._trees.roots[tree : tree + 2])
        used = narrow._trees.feature[part][narrow._trees.left[part] > 0]
        assert len(set(used)) <= 2
    repeated = IsolationForest(bootstrap=True, max_samples=1.0, n_trees=20).fit(X)
    plain = IsolationForest(max_samples=1.0, n_trees=20).fit(X)
    assert len(repeated._trees.left) < 0.9 * len(plain._trees.left)


@pytest.mark.parametrize(("asked", "size"), [("auto", 256), (100, 100), (0.5, 200), (1, 400), (0.001, 2)])
def test_rows_of_each_tree(asked, size):
    forest = IsolationForest(max_samples=asked, n_trees=3).fit(table(400)[0])
    assert forest._size == size
    assert forest.notes_ == ()


def test_more_rows_than_there_are_is_said():
    forest = IsolationForest(max_samples=500, n_trees=3).fit(table(100)[0])
    assert "all 100 rows" in forest.notes_[0]


def test_drawn_rows_are_distinct():
    state = np.array([7], np.uint64)
    assert sorted(draw_rows(300, 300, False, state)) == list(range(300))
    counts = np.zeros(50, int)
    for _ in range(4000):
        rows = draw_rows(50, 10, False, state)
        assert len(set(rows)) == 10
        counts[rows] += 1
    assert np.abs(counts - 800).max() < 5 * math.sqrt(640)


def test_values_far_from_zero_keep_their_differences():
    X, _ = table(1000, 3)
    near = IsolationForest(seed=6).fit(X).training_scores_
    far = IsolationForest(seed=6).fit(np.round(X * 1024) / 1024 + 2.0**33).training_scores_
    assert np.corrcoef(near, far)[0, 1] > 0.999


def test_neighbouring_floats_score_the_same_in_training_and_after():
    base = np.float32(1.0)
    steps = [base]
    for _ in range(50):
        steps.append(np.nextafter(steps[-1], np.float32(2)))
    X = np.array(steps, dtype=np.float64).repeat(6)[:, None]
    forest = IsolationForest(max_samples=1.0, n_trees=50).fit(X)
    assert np.array_equal([forest.score(X[i : i + 1])[0] for i in range(len(X))], forest.training_scores_)


def test_too_many_nodes_are_refused():
    with pytest.raises(FitFailed, match="n_trees or max_samples"):
        IsolationForest(n_trees=10_000, max_samples=1.0).fit(np.zeros((10_000, 1)))


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("left", 0, 0x7FFFFFF),
        ("left", 3, 1),
        ("left", 0, 0),  # nobody's children: the explaining kernel would read what was never written
        ("left", 0, 3),  # two nodes with the same children
        ("feature", 0, 6),
        ("roots", 1, 0),
        ("roots", -1, 5),
    ],
)
def test_nodes_that_point_astray_are_refused(name, place, value):
    state = {key: array.copy() for key, array in IsolationForest(n_trees=4).fit(table()[0]).state().items()}
    state[name][place] = value
    with pytest.raises(BadBundle):
        IsolationForest.from_state({}, 0, state)


def test_scores_one_row_in_a_tenth_of_a_millisecond():
    X, _ = table(1000, 10)
    forest = IsolationForest().fit(X)
    row, times = X[:1], []
    for _ in range(200):
        began = time.perf_counter()
        forest.score(row)
        times.append(time.perf_counter() - began)
    assert np.median(times) < 1e-4


def test_needs_neither_scikit_learn_nor_scipy_nor_pandas():
    code = (
        "import sys, numpy as np; from pynomaly.detection.catalogue import create;"
        "create('isolation_forest').fit(np.ones((9, 2))).contributions(np.ones((1, 2)));"
        "print([m for m in ('sklearn', 'scipy.spatial', 'scipy.stats', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("heaps", [True, False])
def test_rows_at_a_cut_go_left_as_in_training(heaps):
    state = {
        "feature": np.zeros(3, np.int32),
        "threshold": np.array([1.5, 0, 0], np.float32),
        "left": np.array([1, 0, 0], np.int32),
        "value": np.array([5 / 3, 2, 1], np.float32),
        "roots": np.array([0, 3]),
        "size": np.array([2]),
        "center": np.zeros(1),
        "unit": np.ones(1),
    }
    forest = IsolationForest.from_state({}, 0, state)
    if not heaps:
        forest._trees = forest._trees.as_if_large()
    above = np.nextafter(np.float32(1.5), np.float32(2))
    X = np.array([[1.0], [1.5], [above], [2.0]])
    assert list(forest.score(X)) == [2**-2, 2**-2, 0.5, 0.5]
    assert np.allclose(forest.contributions(X)[:, 0], [-1 / 3, -1 / 3, 2 / 3, 2 / 3])


def test_growing_puts_rows_at_a_cut_left():
    rows = np.arange(4)
    assert partition(np.array([3, 1, 2, 1], np.float32), rows, np.float32(1)) == 2
    assert set(rows[:2]) == {1, 3}
