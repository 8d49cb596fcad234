"""PyOD's detectors: the table agrees with the installed PyOD, and each keeps the contract."""

import importlib
import inspect

import numpy as np
import pytest

pyod = pytest.importorskip("pyod")
pytest.importorskip("skops")

from pynomaly.detection.catalogue import CATALOGUE, create  # noqa: E402
from pynomaly.detection.entries.pyod import BY_NAME, PEERS, PYOD_NAMES  # noqa: E402
from pynomaly.detection.trust import allowing_skops  # noqa: E402
from pynomaly.errors import BadBundle, FitFailed, UntrustedModel  # noqa: E402

HERE = [peer.name for peer in PEERS if CATALOGUE[f"pyod.{peer.name}"].available]
BY_SKOPS = {name for name in HERE if BY_NAME[name].networks is None}
QUICK = {
    "AE1SVM": {"epochs": 3, "kernel_approx_features": 50},
    "ALAD": {"epochs": 3},
    "AnoGAN": {"epochs": 3, "epochs_query": 2},
    "AutoEncoder": {"epoch_num": 3},
    "DIF": {"n_ensemble": 4, "training_rows": 30},
    "DeepSVDD": {"epochs": 3},
    "INNE": {"n_estimators": 20},
    "LMDD": {"n_iter": 5, "training_rows": 25},
    "LOCI": {"training_rows": 30},
    "LUNAR": {"n_epochs": 3},
    "MO_GAAL": {"k": 2, "stop_epochs": 1},
    "RGraph": {"training_rows": 25},
    "SO_GAAL": {"stop_epochs": 1},
    "SOD": {"training_rows": 40},
    "SOS": {"training_rows": 30},
    "VAE": {"epoch_num": 3},
}
"""Parameters that make slow detectors quick enough for a test."""

SLOW = {"LMDD", "LOCI", "RGraph", "SOD", "SOS"}
"""They score whole tables for each row."""

OMITTED = {
    *(
        "contamination",
        "random_state",
        "n_jobs",
        "verbose",
        "device",
        "n_features",
    ),  # settled by the contract
    *("metric_params", "kernel_params", "estimator_params", "optimizer_params"),  # objects
    *("clustering_estimator", "base_estimator", "model", "scaler", "c", "loss_fn", "detector_list"),
    *("weights_init", "means_init", "precisions_init"),  # arrays
    *("hidden_neuron_list", "hidden_neurons", "encoder_neuron_list", "decoder_neuron_list"),  # lists
    *(
        "dec_layers",
        "enc_layers",
        "disc_xx_layers",
        "disc_zz_layers",
        "disc_xz_layers",
        "G_layers",
        "D_layers",
    ),
    *("logvar_clip", "output_activation", "output_activation_name"),
    *(
        "check_estimator",
        "check_detector",
        "behaviour",
        "novelty",
        "warm_start",
        "copy",
        "copy_X",
        "cache_size",
    ),
    *("use_compile", "compile_mode", "parallel_execution", "blocksize_test_data"),  # how, not what
}
OCSVM_MAX_ITER = {("OCSVM", "max_iter")}  # -1 means no limit: another one would not converge
LEFT_OUT = {
    *("AudioAE", "DevNet", "EmbeddingOD", "MultiModalOD", "SUOD", "XGBOD"),
    *("ANOMALOUS", "AnomalyDAE", "CoLA", "CONAD", "DOMINANT", "GUIDE", "Radar", "SCAN"),  # graphs
    *("KShape", "LSTMAD", "MatrixProfile", "SAND", "SpectralResidual", "TimeSeriesOD", "AnomalyTransformer"),
    *("BaseDetector", "BaseDeepLearningDetector", "BaseTSDetector"),
}


def rows(n=60, d=4, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, d)) * ([1, 50, 0.01, 3] * d)[:d] + 7
    X[:4, 0] += 9
    return X


def width(name):
    return 1 if name == "MAD" else 4


def made(name, seed=3, **more):
    return create(f"pyod.{name}", {**QUICK.get(name, {}), **more}, seed=seed)


@pytest.fixture(scope="module", params=HERE)
def trained(request):
    return made(request.param).fit(rows(d=width(request.param)))


def classes_of_pyod():
    """Every detector's name and module, read from the source: some modules cannot be imported."""
    import ast
    from pathlib import Path

    for path in Path(pyod.__file__).parent.glob("models/*.py"):
        for node in ast.parse(path.read_text()).body:
            bases = [ast.unparse(base) for base in node.bases] if isinstance(node, ast.ClassDef) else []
            if any("Base" in base and ("Detector" in base or "OD" in base) for base in bases):
                yield node.name, path.stem


class TestTable:
    def test_names_every_detector_for_tables(self):
        found = {name for name, _ in classes_of_pyod()}
        assert set(BY_NAME) <= found
        assert found - set(BY_NAME) - {name for name in found if name.startswith(("_", "Base"))} <= LEFT_OUT

    @pytest.mark.parametrize("name", HERE)
    def test_parameters_and_defaults_are_those_of_pyod(self, name):
        peer = BY_NAME[name]
        known = inspect.signature(
            getattr(importlib.import_module(f"pyod.models.{peer.module}"), name)
        ).parameters
        ours = {PYOD_NAMES.get(p.name, p.name): p for p in peer.parameters}
        assert set(ours) <= set(known)
        for key, parameter in known.items():
            if key in ours:
                default = "auto" if parameter.default is None else parameter.default
                assert ours[key].default == default, f"{name}.{key}"
            else:
                settled = key in OMITTED or (name, key) in OCSVM_MAX_ITER
                assert settled, f"{name} has a parameter {key}={parameter.default!r} that the table lacks"

    @pytest.mark.parametrize("name", [peer.name for peer in PEERS])
    def test_summaries_name_a_source_or_say_what_is_done(self, name):
        assert BY_NAME[name].summary.endswith(".")
        assert CATALOGUE[f"pyod.{name}"].extra in ("pyod", "pyod,torch")


class TestScore:
    def test_one_row_and_a_batch_agree(self, trained):
        d = width(trained.peer.name)
        X = np.concatenate([rows(12, d, seed=1), rows(d=d)[:8]])
        one_by_one = np.array([trained.score(X[i : i + 1])[0] for i in range(len(X))])
        assert np.array_equal(one_by_one, trained.score(X))
        assert np.array_equal(trained.score(X[::-1])[::-1], trained.score(X))
        assert np.isfinite(one_by_one).all()

    def test_of_training_rows_is_the_training_score(self, trained):
        assert np.array_equal(trained.score(rows(d=width(trained.peer.name))), trained.training_scores_)
        assert len(set(trained.training_scores_)) > 3

    def test_of_no_rows_is_empty(self, trained):
        d = width(trained.peer.name)
        assert trained.score(np.empty((0, d))).shape == (0,)

    @pytest.mark.parametrize("name", HERE)
    def test_same_seed_same_bits_and_the_random_state_is_left_alone(self, name):
        before = np.random.get_state()[1].copy()
        first, second = (made(name).fit(rows(30, width(name))) for _ in range(2))
        assert np.array_equal(first.training_scores_, second.training_scores_)
        assert np.array_equal(np.random.get_state()[1], before)

    @pytest.mark.parametrize("name", ["KNN", "OCSVM", "GMM", "HBOS", "PCA", "CBLOF", "Sampling"])
    def test_is_what_pyod_says(self, name):
        peer, X = BY_NAME[name], rows()
        cls = getattr(importlib.import_module(f"pyod.models.{peer.module}"), name)
        state = {"random_state": 3} if "random_state" in inspect.signature(cls).parameters else {}
        ours = made(name, scaling="none").fit(X)
        assert np.allclose(ours.score(rows(seed=5)), cls(**state).fit(X).decision_function(rows(seed=5)))

    @pytest.mark.parametrize("name", [n for n in HERE if BY_NAME[n].scoring == "blocks"])
    @pytest.mark.parametrize("d", [3, 20, 40])
    def test_blocks_give_the_bits_of_single_rows(self, name, d):
        detector, X = made(name).fit(rows(d=d)), rows(50, d, seed=2)
        one_by_one = [detector.score(X[i : i + 1])[0] for i in range(len(X))]
        assert np.array_equal(one_by_one, detector.score(X))

    @pytest.mark.parametrize("name", ["ECOD", "COPOD", "COF", "SOD", "SOS"])
    def test_company_counts_for_pyod_but_not_here(self, name):
        """PyOD itself scores a row by the batch it comes in; ours must not."""
        detector, X = made(name).fit(rows()), rows(5, seed=1)
        others = np.concatenate([X, rows(30, seed=7) * 3])
        assert np.array_equal(detector.score(others)[:5], detector.score(X))


def _claiming(data, shape, magic=b"\x93NUMPY"):
    """Copy a skops file; its first array says that it has another shape, or that it is no array."""
    import io
    import re
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        first = next(name for name in old.namelist() if name.endswith(".npy"))
        for name in old.namelist():
            part = old.read(name)
            if name == first:
                head = re.sub(rb"'shape': \([^)]*\)", b"'shape': " + shape, part[10:128]).ljust(118)[:117]
                part = magic + part[len(magic) : 10] + head + b"\n" + part[128:]
            new.writestr(name, part)
    return out.getvalue()


class TestState:
    @pytest.mark.parametrize("name", HERE)
    def test_round_trip_is_equal_to_the_bit(self, name):
        d = width(name)
        detector = made(name).fit(rows(d=d))
        state = detector.state()
        with allowing_skops():
            again = type(detector).from_state(detector.params, detector.seed, state)
        X = rows(9, d, seed=4)
        assert np.array_equal(again.score(X), detector.score(X))
        assert again.notes_ == ()
        if name not in SLOW:
            assert np.array_equal(again.contributions(X[:2]), detector.contributions(X[:2]))
        if name in BY_SKOPS:
            with pytest.raises(UntrustedModel, match="allow_skops"):
                type(detector).from_state(detector.params, detector.seed, state)

    @pytest.mark.parametrize("name", [n for n in HERE if BY_NAME[n].networks])
    def test_trained_networks_are_kept_not_trained_again(self, name):
        """The numbers in the file decide: other numbers, other scores; too few are refused."""
        detector = made(name).fit(rows())
        state = detector.state()
        changed = state | {"networks": -state["networks"]}
        again = type(detector).from_state(detector.params, detector.seed, changed)
        assert np.array_equal(again.state()["networks"], changed["networks"])
        for wrong in (state["networks"][:-1], state["networks"] * np.inf):
            with pytest.raises(BadBundle, match="networks"):
                type(detector).from_state(detector.params, detector.seed, state | {"networks": wrong})

    @pytest.mark.parametrize(
        "spoil", ["cut", "other class", "untrusted type", "packed", "noise", "10 TB", "no array"]
    )
    def test_spoilt_models_are_refused(self, spoil):
        import zipfile

        from skops.io import dumps

        detector = made("KNN").fit(rows())
        state = dict(detector.state())
        data = state["model"].tobytes()
        changed = {
            "cut": lambda: data[: len(data) // 2],
            "other class": lambda: dumps({"a": 1}, compression=zipfile.ZIP_STORED),
            "untrusted type": lambda: made("GMM").fit(rows()).state()["model"].tobytes(),
            "packed": lambda: dumps(detector._detector, compression=zipfile.ZIP_DEFLATED),
            "noise": lambda: b"noise",
            "10 TB": lambda: _claiming(data, b"(10000000000000,)"),
            "no array": lambda: _claiming(data, b"(3,)", b"PK\x03\x04"),
        }[spoil]()
        state["model"] = np.frombuffer(changed, np.uint8)
        with allowing_skops(), pytest.raises(BadBundle, match="damaged"):
            type(detector).from_state(detector.params, detector.seed, state)

    @pytest.mark.parametrize("key", ["rows", "normal", "limits", "center", "unit", "model"])
    def test_missing_arrays_are_refused(self, key):
        detector = made("COF").fit(rows())
        state = detector.state()
        del state[key]
        with allowing_skops(), pytest.raises(BadBundle, match=key):
            type(detector).from_state(detector.params, detector.seed, state)


LARGEST = np.finfo(np.float64).max
ODD = {
    "constant column": np.column_stack([rows(30), np.full(30, 3.5)]),
    "duplicates": np.repeat(rows(6), 6, axis=0),
    "all rows equal": np.full((25, 3), 1.25),
    "two rows": rows(2),
    "three rows": rows(3),
    "one column": rows(30, 1),
    "more columns than rows": rows(10, 20),
    "one largest value": np.concatenate([rows(30), [[LARGEST, 0, 0, 0]]]),
    "1e308 everywhere": np.full((15, 2), 1e308),
    "binary": np.random.default_rng(0).integers(0, 2, (40, 5)).astype(float),
}


class TestOddTables:
    @pytest.mark.parametrize("kind", ODD)
    @pytest.mark.parametrize("name", [n for n in HERE if not BY_NAME[n].torch])
    def test_scores_are_finite_or_the_table_is_refused(self, name, kind):
        X = ODD[kind][-12:] if name in SLOW else ODD[kind]
        detector = made(name)
        try:
            detector.fit(X)
        except FitFailed as error:
            assert f"PyOD's {name}" in error.message  # noqa: PT017
            return
        extremes = np.array([[LARGEST], [-LARGEST], [0.0]]) * np.ones(X.shape[1])
        assert np.isfinite(detector.score(extremes)).all()
        assert np.isfinite(detector.training_scores_).all()
        assert np.array_equal(detector.score(X[:5]), detector.training_scores_[:5])

    def test_neighbours_are_lowered_to_what_there_is(self):
        detector = made("LOF").fit(rows(8))
        assert "n_neighbors was lowered to 7: there are 8 rows to learn from." in detector.notes_

    def test_many_rows_are_sampled_and_it_is_said(self):
        detector = made("KNN", training_rows=20).fit(rows())
        assert detector.notes_ == ("PyOD was trained on a random sample of 20 of the 60 rows.",)
        assert len(detector._rows) == 20

    def test_scores_that_are_not_finite_are_counted(self):
        alike = np.repeat(rows(1, seed=3), 10, axis=0)
        detector = made("ABOD").fit(np.concatenate([rows(40), alike]))
        assert any("no finite score" in note for note in detector.notes_)


class TestContributions:
    @pytest.mark.parametrize("name", ["KNN", "LOF", "HBOS", "IForest", "MCD", "GMM"])
    def test_name_the_corrupted_column_first(self, name):
        rng = np.random.default_rng(8)
        X = rng.normal(size=(300, 5)) @ (rng.normal(size=(5, 5)) * 0.3 + np.eye(5))
        bad, columns = X[:20].copy(), rng.integers(0, 5, 20)
        bad[np.arange(20), columns] += rng.choice([-1, 1], 20) * 8 * X.std(axis=0)[columns]
        detector = made(name).fit(X)
        assert (detector.contributions(bad).argmax(axis=1) == columns).mean() >= 0.95
