"""Model files of PyOD's detectors: saved, and read only where they are signed or said to be trusted."""

import numpy as np
import pytest

pytest.importorskip("pyod")
pytest.importorskip("skops")

import pynomaly
from pynomaly.cli.main import main
from pynomaly.detection.catalogue import get
from pynomaly.errors import BadBundle, UntrustedModel
from pynomaly.library import Detector

KEY = b"k" * 32


def rows(n=80, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, 3))
    X[:3] += 6
    return X


@pytest.fixture(scope="module")
def detector():
    return Detector("pyod.KNN", n_neighbors=4).fit(rows())


def test_finds_and_explains(detector):
    result = detector.detect(rows())
    assert {anomaly.row for anomaly in result.top(3)} == {0, 1, 2}
    assert all(anomaly.reasons for anomaly in result.top(3))


def test_a_file_is_read_when_it_is_said_to_be_trusted(detector, tmp_path):
    detector.save(tmp_path / "m")
    with pytest.raises(UntrustedModel, match="allow_skops=True") as caught:
        pynomaly.load(tmp_path / "m")
    assert isinstance(caught.value, BadBundle)
    again = pynomaly.load(tmp_path / "m", allow_skops=True)
    assert np.array_equal(again.score(rows(9, seed=1)), detector.score(rows(9, seed=1)))
    with pytest.raises(UntrustedModel):  # the word counted for that call alone
        pynomaly.load(tmp_path / "m")


def test_a_signed_one_is_read_where_a_signature_is_required(detector):
    data = detector.to_bytes(KEY)
    assert Detector.from_bytes(data, KEY, require_signature=True).score(rows(5)).shape == (5,)
    with pytest.raises(UntrustedModel):
        Detector.from_bytes(data, KEY)
    with pytest.raises(BadBundle, match="another key"):
        Detector.from_bytes(data, b"x" * 32, require_signature=True)
    with pytest.raises(BadBundle, match="not signed"):
        Detector.from_bytes(detector.to_bytes(), KEY, require_signature=True)


def test_a_member_of_an_ensemble_is_no_way_round(tmp_path):
    ensemble = Detector("ensemble", members=("robust_z", "pyod.KNN")).fit(rows())
    ensemble.save(tmp_path / "m")
    with pytest.raises(UntrustedModel):
        pynomaly.load(tmp_path / "m")
    again = pynomaly.load(tmp_path / "m", allow_skops=True)
    assert np.array_equal(again.score(rows()), ensemble.score(rows()))


@pytest.mark.parametrize("name", ["LMDD", "DeepSVDD"])
def test_what_holds_arrays_only_is_read_without_a_word(name, tmp_path):
    """Its file holds no object, so that nothing has to be trusted."""
    if not get(f"pyod.{name}").available:
        pytest.skip("PyTorch is not installed")
    quick = {"LMDD": {"n_iter": 3, "training_rows": 20}, "DeepSVDD": {"epochs": 3}}[name]
    detector = Detector(f"pyod.{name}", **quick).fit(rows(30))
    detector.save(tmp_path / "m")
    again = pynomaly.load(tmp_path / "m")
    assert np.array_equal(again.score(rows(4)), detector.score(rows(4)))


def test_on_the_command_line(tmp_path, capsys):
    table, model = tmp_path / "t.csv", tmp_path / "m"
    np.savetxt(table, rows(), delimiter=",", header="a,b,c", comments="")
    assert main(["detect", str(table), "--algorithm", "pyod.HBOS", "--save", str(model)]) == 0
    capsys.readouterr()
    assert main(["detect", str(table), "--model", str(model)]) == UntrustedModel.exit_code
    assert "allow_skops" in capsys.readouterr().err
    assert main(["detect", str(table), "--model", str(model), "--allow-skops"]) == 0
    assert "pyod.HBOS" in capsys.readouterr().out
