"""What every algorithm of the catalogue promises, checked for each entry."""

import os
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pynomaly.detection.algorithms import contract
from pynomaly.detection.algorithms.threads import limit_threads
from pynomaly.detection.catalogue import CATALOGUE, check_parameters, create, load_class
from pynomaly.errors import BadBundle, BadParameter, FitFailed, NotFitted, SchemaMismatch, TooFewRows

LARGEST = np.finfo(np.float64).max
ASKED = tuple(os.environ.get("CONTRACT_OF", "").split())
"""`make test-extras` asks for algorithms that need an extra; `make test` checks all others."""

NAMES = ASKED or tuple(name for name, entry in CATALOGUE.items() if entry.extra is None)
VARIANTS = [
    *((name, {}) for name in NAMES),
    ("isolation_forest", {"n_trees": 60, "max_samples": 1.0, "max_features": 0.5, "bootstrap": True}),
    ("isolation_forest", {"extended": True}),
    ("one_class_svm", {"method": "nystroem", "n_components": 20, "nu": 0.1}),
    ("one_class_svm", {"kernel": "poly", "scaling": "standard"}),
    ("one_class_svm", {"kernel": "linear", "scaling": "none"}),
    ("one_class_svm", {"kernel": "sigmoid", "gamma": "auto", "coef0": 0.1, "method": "nystroem"}),
    ("local_outlier_factor", {"n_neighbors": 5, "metric": "manhattan"}),
    ("local_outlier_factor", {"metric": "chebyshev", "scaling": "none"}),
    ("local_outlier_factor", {"metric": "minkowski", "p": 3.5}),
    ("knn", {"n_neighbors": 0.05, "method": "mean", "metric": "manhattan"}),
    ("knn", {"n_neighbors": 1, "metric": "chebyshev", "scaling": "none"}),
    ("knn", {"n_neighbors": 4, "method": "median", "p": 1.5, "scaling": "standard"}),
    ("knn", {"n_neighbors": 30, "method": "mean"}),
    ("dte_nonparametric", {"n_neighbors": 0.02, "scaling": "standard"}),
    ("hbos", {"n_bins": 5, "smoothing": 0.5}),
    ("robust_z", {"combine": "max"}),
    ("robust_z", {"combine": "rms"}),
    ("loda", {"n_directions": 30, "n_bins": 8, "scaling": "rank"}),
    ("pca", {"components": "minor", "shrinkage": 0.0, "variance": 0.5, "scaling": "none"}),
    ("gmm", {"n_components": 3, "normal_share": 1.0, "scaling": "robust"}),
    ("gmm", {"scaling": "none", "reg_covar": 1e-6}),
    ("kde", {"bandwidth": "scott", "scaling": "rank", "max_samples": 100}),
    ("elliptic_envelope", {"support_fraction": 0.8, "assume_centered": True, "scaling": "none"}),
    ("autoencoder", {"activation": "relu", "dropout": 0.0, "patience": 0, "epochs": 20}),
    ("keras_autoencoder", {"n_layers": 1, "hidden_size": 8, "bottleneck": 3, "scaling": "none"}),
]
VARIANTS = [variant for variant in VARIANTS if variant[0] in NAMES]


def rows(n=300, d=4, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, d)) * ([1, 50, 0.01, 3] * d)[:d] + 7
    X[:: max(2, n // 10), 0] += 9
    return X


@pytest.fixture(params=VARIANTS, ids=lambda v: "-".join([v[0], *map(str, v[1].values())]), scope="module")
def trained(request):
    name, params = request.param
    return create(name, params, seed=3).fit(rows())


def restored(algorithm):
    return type(algorithm).from_state(algorithm.params, algorithm.seed, algorithm.state())


class TestScore:
    def test_one_row_and_a_batch_agree_to_the_bit(self, trained):
        X = np.concatenate([rows(seed=1), rows()])
        one_by_one = [trained.score(X[i : i + 1])[0] for i in range(len(X))]
        assert np.array_equal(one_by_one, trained.score(X))

    def test_does_not_depend_on_rows_around_layout_or_threads(self, trained):
        X = rows(3000, seed=2)
        scores = trained.score(X)
        order = np.random.default_rng(5).permutation(len(X))
        assert np.array_equal(trained.score(X[order]), scores[order])
        assert np.array_equal(trained.score(np.asfortranarray(X)), scores)
        limit_threads(1)
        try:
            assert np.array_equal(trained.score(X), scores)
        finally:
            limit_threads(None)

    def test_of_training_rows_is_the_training_score(self, trained):
        assert trained.training_scores_.shape == (300,)
        assert np.array_equal(trained.score(rows()), trained.training_scores_)

    def test_of_no_rows_is_empty(self, trained):
        assert trained.score(np.empty((0, 4))).shape == (0,)
        assert trained.contributions(np.empty((0, 4))).shape == (0, 4)

    def test_leaves_the_rows_as_they_are(self, trained):
        X = rows(20, seed=1)
        before = X.copy()
        trained.score(X)
        trained.contributions(X)
        assert np.array_equal(X, before)

    def test_is_higher_far_outside(self, trained):
        step = 60 * np.array([1, 50, 0.01, 3])
        sides = np.median(rows(), axis=0) + np.array([step, -step])
        is_high = trained.score(sides) > np.quantile(trained.training_scores_, 0.97)
        is_open = trained.params.get("kernel") in ("poly", "linear", "sigmoid")  # such borders have one side
        assert is_high.any() if is_open else is_high.all()


class TestState:
    def test_round_trip_is_equal_to_the_bit(self, trained):
        X, again = rows(seed=4), restored(trained)
        assert np.array_equal(again.score(X), trained.score(X))
        assert np.array_equal(again.contributions(X[:9]), trained.contributions(X[:9]))

    def test_holds_plain_arrays_only(self, trained):
        for name, array in trained.state().items():
            assert isinstance(name, str)
            assert array.dtype.kind in "fi"
            assert array.size > 0

    def test_may_be_read_only(self, trained):
        state = {name: contract.read_only(array) for name, array in trained.state().items()}
        again = type(trained).from_state(trained.params, trained.seed, state)
        assert np.array_equal(again.score(rows(9)), trained.score(rows(9)))

    @pytest.mark.parametrize("spoil", ["missing", "dtype", "shape", "empty", "nan", "inf"])
    def test_spoilt_arrays_are_refused(self, trained, spoil):
        for name, array in trained.state().items():
            state = trained.state()
            changed = array.astype(np.float64) if spoil in ("nan", "inf") else array.copy()
            if spoil == "missing":
                del state[name]
            elif spoil == "dtype":
                state[name] = array.astype(np.float16)
            elif spoil == "shape":
                state[name] = array[None]
            elif spoil == "empty":
                state[name] = array[:0]
            else:
                changed.flat[-1] = float(spoil)
                state[name] = changed.astype(array.dtype) if array.dtype.kind == "f" else changed
            with pytest.raises(BadBundle, match="damaged"):
                type(trained).from_state(trained.params, trained.seed, state)

    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data())
    def test_changed_values_are_refused_or_harmless(self, trained, data):
        state = {name: array.copy() for name, array in trained.state().items()}
        name = data.draw(st.sampled_from(sorted(state)))
        value = data.draw(st.sampled_from([-(2**31), -1, 0, 1, 2, 511, 2**31 - 1, 1e300, -1e300, 1e-320]))
        index = data.draw(st.integers(0, state[name].size - 1))
        whole = data.draw(st.booleans())
        with np.errstate(all="ignore"):
            cast = np.asarray(value, np.float64).astype(state[name].dtype)
        state[name].flat[slice(None) if whole else index] = cast
        try:
            changed = type(trained).from_state(trained.params, trained.seed, state)
        except BadBundle:
            return
        with np.errstate(all="ignore"):
            assert changed.score(rows(40)).shape == (40,)
            assert changed.contributions(rows(2)).shape == (2, 4)


ODD = {
    "constant column": np.column_stack([rows(60), np.full(60, 3.5)]),
    "duplicates": np.repeat(rows(12), 10, axis=0),
    "all rows equal": np.full((50, 3), 1.25),
    "all zero": np.zeros((50, 3)),
    "two rows": rows(2),
    "three rows": rows(3),
    "one column": rows(80, 1),
    "mostly one value": np.where(np.random.default_rng(0).random((100, 3)) < 0.03, 5.0, 0.0),
    "more columns than rows": rows(10, 40),
    "column that follows from another": np.column_stack([rows(100), rows(100)[:, 0] * 2]),
    "one largest value": np.concatenate([rows(60), [[LARGEST, 0, 0, 0]]]),
    "largest values of both signs": np.random.default_rng(0).choice([-LARGEST, 1, LARGEST], (60, 3)),
    "1e308 everywhere": np.full((30, 2), 1e308),
    "tiny": rows(60) * 1e-310,
    "integers beyond 32 bits": np.random.default_rng(0).integers(-(2**62), 2**62, (60, 3)).astype(float),
    "far from zero": rows(60) + 1e9,
    "binary": np.random.default_rng(0).integers(0, 2, (90, 5)).astype(float),
}


def scalings(name):
    """Each kind of scaling that an algorithm has, as parameters."""
    found = [p.choices for p in CATALOGUE[name].parameters if p.name == "scaling"]
    return [{"scaling": kind} for kind in found[0]] if found else [{}]


SCALED = [
    pytest.param(name, params, id="-".join([name, *params.values()]))
    for name in NAMES
    for params in scalings(name)
]


class TestOddTables:
    @pytest.mark.parametrize("kind", ODD)
    @pytest.mark.parametrize(("name", "params"), SCALED)
    def test_scores_are_finite(self, name, params, kind):
        X = ODD[kind]
        algorithm = create(name, params).fit(X)
        extremes = np.array([[LARGEST], [-LARGEST], [0.0]]) * np.ones(X.shape[1])
        for rows_ in (X, extremes):
            assert np.isfinite(algorithm.score(rows_)).all()
            assert np.isfinite(algorithm.contributions(rows_[:5])).all()
        assert np.array_equal(algorithm.score(X), algorithm.training_scores_)
        assert np.array_equal(restored(algorithm).score(X), algorithm.training_scores_)

    @pytest.mark.parametrize("name", NAMES)
    def test_equal_rows_get_equal_scores(self, name):
        scores = create(name).fit(ODD["all rows equal"]).training_scores_
        assert len(set(scores)) == 1

    @pytest.mark.parametrize("kernel", ["linear", "poly", "sigmoid"])
    @pytest.mark.parametrize("kind", ODD)
    def test_other_kernels_are_finite_or_refuse(self, kernel, kind):
        try:
            svm = create("one_class_svm", {"kernel": kernel, "scaling": "none"}).fit(ODD[kind])
        except FitFailed as error:
            assert "scale" in error.message  # noqa: PT017
            return
        assert np.isfinite(svm.training_scores_).all()

    @pytest.mark.parametrize("name", NAMES)
    def test_too_few_rows_are_refused(self, name):
        for X in (np.empty((0, 3)), np.ones((1, 3))):
            with pytest.raises(TooFewRows, match=name):
                create(name).fit(X)

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_values_that_are_not_finite_are_refused(self, name, bad):
        X = rows(30)
        X[4, 2] = bad
        with pytest.raises(FitFailed, match="missing or infinite"):
            create(name).fit(X)

    @pytest.mark.parametrize("name", NAMES)
    def test_no_columns_are_refused(self, name):
        with pytest.raises(FitFailed, match="column"):
            create(name).fit(np.empty((5, 0)))


class TestUse:
    def test_score_before_fit_is_refused(self):
        for name in NAMES:
            with pytest.raises(NotFitted):
                create(name).score(rows())
            assert len(create(name).training_scores_) == 0

    def test_other_widths_are_refused(self, trained):
        for X in (rows(5, 3), rows(5, 4)[:, :, None], rows(5, 4)[0]):
            with pytest.raises(SchemaMismatch):
                trained.score(X)
            with pytest.raises(SchemaMismatch):
                trained.contributions(X)

    @pytest.mark.parametrize("name", NAMES)
    def test_same_seed_same_bits(self, name):
        first, second = (create(name, seed=11).fit(rows()) for _ in range(2))
        assert np.array_equal(first.training_scores_, second.training_scores_)

    @pytest.mark.parametrize("name", NAMES)
    def test_class_and_catalogue_agree(self, name):
        cls = load_class(name)
        assert cls.name == name
        assert cls().params == check_parameters(name, {})
        assert cls.__doc__
        with pytest.raises(BadParameter):
            cls(no_such_parameter=1)

    @pytest.mark.parametrize("name", NAMES)
    def test_progress_grows_to_one(self, name):
        seen = []
        create(name).fit(rows(2000), seen.append)
        assert seen == sorted(seen)
        assert seen[-1] == pytest.approx(1)
        assert min(seen) >= 0

    @pytest.mark.parametrize("name", NAMES)
    def test_fit_may_be_called_again(self, name):
        algorithm = create(name).fit(rows(50, 3))
        again = algorithm.fit(rows())
        assert again is algorithm
        assert np.array_equal(again.training_scores_, create(name).fit(rows()).training_scores_)

    @pytest.mark.parametrize("name", NAMES)
    def test_warm_up_runs_all_its_kernels_without_warnings(self, name):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            load_class(name).warm_up(rows(64, 2))


class TestContributions:
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("seen_in_training", [False, True])
    def test_name_the_corrupted_column_first(self, name, seen_in_training):
        """A row with one planted corrupted column: that column is first in at least 95 % of the cases."""
        rng = np.random.default_rng(8)
        mixing = rng.normal(size=(8, 8)) * 0.3 + np.eye(8)
        X = rng.normal(size=(1000, 8)) @ mixing
        spoilt = rng.choice(1000, 40, replace=False)
        columns = rng.integers(0, 8, 40)
        good = X[spoilt].copy()
        X[spoilt, columns] += rng.choice([-1, 1], 40) * 8 * X.std(axis=0)[columns]
        bad = X[spoilt]
        if not seen_in_training:
            X[spoilt] = good
        algorithm = create(name, seed=2).fit(X)
        first = algorithm.contributions(bad).argmax(axis=1)
        assert (first == columns).mean() >= 0.95

    def test_are_the_same_in_any_batch(self, trained):
        X = rows(30, seed=6)
        one_by_one = np.concatenate([trained.contributions(X[i : i + 1]) for i in range(len(X))])
        assert np.array_equal(one_by_one, trained.contributions(X))
