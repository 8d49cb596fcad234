"""A clean matrix is trained on without a table, and that makes no difference."""

import numpy as np
import pytest

import pynomaly
from pynomaly.detection.algorithms import threads
from pynomaly.detection.encoding import plain_frame
from pynomaly.tables import read

X = np.random.default_rng(0).normal(size=(500, 4)) * [1, 10, 1000, 1e-5]


@pytest.mark.parametrize("columns", [None, ["column_3", "column_1"]])
def test_it_is_the_same_as_through_a_table(columns, monkeypatch):
    direct = pynomaly.Detector(seed=3, columns=columns).fit(X)
    monkeypatch.setattr(threads, "WORTH_THREADS", 0)
    by_table = pynomaly.Detector(seed=3, columns=columns).fit(read(X))
    assert direct.columns_ == by_table.columns_
    assert direct.threshold == by_table.threshold
    assert direct.to_bytes() == by_table.to_bytes()
    kept = X if columns is None else X[:, [3, 1]]
    assert np.array_equal(direct.score(kept), by_table.score(kept))


def changed(row, column, value):
    copy = X.copy()
    copy[row, column] = value
    return copy


@pytest.mark.parametrize(
    "odd",
    [
        changed(3, 1, np.nan),
        changed(3, 1, np.inf),
        changed(slice(None), 2, 7.0),
        X[:1],
        X[:, :0],
        np.ma.masked_array(X, X > 3),
    ],
)
def test_what_must_be_looked_at_goes_through_a_table(odd):
    assert plain_frame(odd) is None


@pytest.mark.parametrize("name", ["robust_z", "auto"])
def test_masked_values_are_missing_when_rows_are_scored(name):
    masked, holes = np.ma.masked_array(changed(5, 1, 1e6)), changed(5, 1, np.nan)
    masked[5, 1] = np.ma.masked
    detector = pynomaly.Detector(name).fit(masked)
    assert np.array_equal(detector.score(masked), detector.score(holes))
    assert np.array_equal(detector.detect(masked).scores, detector.score(holes))


def test_faults_are_told_as_ever():
    with pytest.raises(pynomaly.PynomalyError, match="infinite"):
        pynomaly.Detector().fit(changed(3, 1, np.inf))
    with pytest.raises(pynomaly.PynomalyError, match="nothing"):
        pynomaly.Detector(columns=["nothing"]).fit(X)
    assert pynomaly.Detector().fit(changed(slice(None), 2, 7.0)).columns_[2].unused


def test_later_changes_of_the_matrix_do_not_reach_the_detector():
    mine = X.copy()
    detector = pynomaly.Detector(seed=1).fit(mine)
    before = detector.score(X)
    mine[:] = 0
    assert np.array_equal(detector.score(X), before)
