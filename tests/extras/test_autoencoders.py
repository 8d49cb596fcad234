"""Autoencoders trained by PyTorch and by Keras; the contract suite runs over them as well."""

import subprocess
import sys

import numpy as np
import pytest

import pynomaly
from pynomaly.detection.catalogue import CATALOGUE, create

NAMES = [name for name in ("autoencoder", "keras_autoencoder") if CATALOGUE[name].available]
if not NAMES:
    pytest.skip("neither PyTorch nor TensorFlow is installed", allow_module_level=True)


def on_a_plane(n=600, d=6, seed=0):
    """Rows near a plane of two dimensions, bent a little."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 2))
    mixing = np.random.default_rng(99).normal(size=(2, d))
    return np.tanh(hidden @ mixing) + rng.normal(size=(n, d)) * 0.05


@pytest.fixture(scope="module", params=NAMES)
def trained(request):
    return create(request.param, {"epochs": 60}, seed=1).fit(on_a_plane())


def test_finds_rows_off_the_plane_whose_columns_are_each_ordinary(trained):
    rng = np.random.default_rng(5)
    odd = np.column_stack([rng.permutation(column) for column in on_a_plane(200, seed=2).T])
    normal, broken = trained.score(on_a_plane(200, seed=3)), trained.score(odd)
    auc = (normal[:, None] < broken[None]).mean()
    assert auc > 0.93


def test_training_beats_the_mean_as_a_guess(trained):
    assert np.median(trained.training_scores_) < 6 * 0.5


def test_contributions_add_up_to_the_score(trained):
    X = on_a_plane(30, seed=4)
    assert np.allclose(trained.contributions(X).sum(axis=1), trained.score(X), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_random_state_of_others_is_left_alone(name):
    before = np.random.get_state()[1].copy()
    create(name, {"epochs": 2}).fit(on_a_plane(60))
    assert np.array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_one_scores_where_its_library_is_missing(name, tmp_path):
    X = on_a_plane(80)
    detector = pynomaly.Detector(name, epochs=3).fit(X)
    detector.save(tmp_path / "model.pynomaly")
    code = (
        "import sys\n"
        "for name in ('torch', 'keras', 'tensorflow'):\n"
        "    sys.modules[name] = None\n"  # importing it fails
        "import numpy as np, pynomaly\n"
        "detector = pynomaly.load('model.pynomaly')\n"
        "print(detector.score(np.load('X.npy')).tobytes().hex())"
    )
    np.save(tmp_path / "X.npy", X)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert bytes.fromhex(done.stdout.strip()) == detector.score(X).tobytes()


@pytest.mark.skipif("autoencoder" not in NAMES, reason="PyTorch is not installed")
def test_any_number_of_threads_gives_the_same_bits():
    import torch

    before = torch.get_num_threads()
    scores = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        scores.append(create("autoencoder", {"epochs": 5}).fit(on_a_plane()).training_scores_)
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert np.array_equal(*scores)


@pytest.mark.skipif(len(NAMES) < 2, reason="both libraries are needed")
def test_both_libraries_learn_the_same():
    """One step of Adam from the same first weights on the same rows gives the same network, nearly."""
    scores = [create(name, {"epochs": 3, "patience": 0}).fit(on_a_plane()).training_scores_ for name in NAMES]
    assert np.allclose(*scores, rtol=0.02)
