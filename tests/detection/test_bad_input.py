"""Bad input, for every algorithm: a typed error or a stated fallback; never NaN, never a dead process."""

import warnings
from functools import cache

import numpy as np
import pytest

import pynomaly
from pynomaly import library
from pynomaly.columns import Column, ColumnData
from pynomaly.detection import bundle
from pynomaly.detection.catalogue import CATALOGUE, load_class
from pynomaly.detection.model import Model
from pynomaly.errors import (
    BadBundle,
    LabelError,
    NonFiniteValue,
    NoUsableColumns,
    SchemaMismatch,
    TooFewRows,
)

NAMES = [name for name, info in CATALOGUE.items() if info.available and not info.extra]
LARGEST = float(np.finfo(np.float64).max)
RNG = np.random.default_rng(4)

TABLES = {
    "more columns than rows": {f"c{j}": RNG.normal(size=9) for j in range(30)},
    "two rows": {"a": [1.0, 2.0], "b": [3.0, 1.0]},
    "duplicate rows": {"a": [1.0, 2.0, 3.0] * 30, "b": [5.0, 1.0, 2.0] * 30},
    "all rows but one equal": {"a": [1.0] * 60 + [2.0], "b": [5.0] * 60 + [4.0]},
    "a constant column": {"a": RNG.normal(size=60), "b": [7.0] * 60},
    "whole numbers beyond 64 bits": {"a": [*range(50), 2**70, -(2**70)], "b": RNG.normal(size=52)},
    "whole numbers of 63 bits": {"a": RNG.integers(-(2**63), 2**63 - 1, 60), "b": RNG.normal(size=60)},
    "1e308": {"a": [1e308, -1e308] * 30, "b": RNG.normal(size=60)},
    "one 1e308": {"a": [*RNG.normal(size=60), 1e308], "b": RNG.normal(size=61)},
    "the largest of both signs": {"a": [LARGEST, -LARGEST, 0.0] * 20, "b": [-LARGEST, 1.0, LARGEST] * 20},
    "few rows, the largest of both signs": {"a": [LARGEST, -LARGEST, LARGEST, 0.0]},
    "the smallest": {"a": [5e-324, 0.0, 1e-310] * 20, "b": RNG.normal(size=60)},
    "singular covariance": {
        "a": np.arange(60.0),
        "b": 2 * np.arange(60.0) + 1,
        "c": np.zeros(60) + [0, 1] * 30,
    },
    "mostly missing": {"a": [None] * 55 + [1.0, 2.0, 3.0, 4.0, 90.0], "b": RNG.normal(size=60)},
    "one value and missing ones": {"a": [5.0, None] * 30, "b": RNG.normal(size=60)},
    "all numbers missing in some rows": {"a": [None, None, 1.0, 2.0] * 15, "b": [None, None, 3.0, 1.0] * 15},
    "categories only": {"k": ["x", "y", "z"] * 20, "l": ["p", "q"] * 30},
}


@cache
def table(kind):
    """An odd table, read once for all algorithms: that takes longer than most of them."""
    return library.opened(TABLES[kind])


def sound(result):
    """Whether every number of a result is one."""
    assert np.isfinite(result.scores).all()
    assert ((result.p_values > 0) & (result.p_values <= 1)).all()
    assert np.isfinite(result.threshold)
    for anomaly in result.top(5):
        assert np.isfinite([reason.contribution for reason in anomaly.reasons]).all()
        assert anomaly.summary
        assert set(anomaly.nearest_normal["values"]) == set(result.model.columns)


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("name", NAMES)
def test_odd_tables_give_finite_scores_or_a_typed_error(name, kind):
    columns = table(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        detector = pynomaly.Detector(name).fit(columns)
        sound(detector.detect(columns, max_explained=5))
        again = pynomaly.Detector.from_bytes(detector.to_bytes())
        assert np.array_equal(again.score(columns), detector.score(columns))


@pytest.mark.parametrize("name", NAMES)
def test_new_rows_may_hold_anything_that_is_a_number(name):
    detector = pynomaly.Detector(name).fit({"a": RNG.normal(size=80), "b": RNG.normal(size=80)})
    odd = [0.0, LARGEST, -LARGEST, 1e308, 5e-324, 2.0**63]
    sound(detector.detect({"a": odd, "b": odd[::-1]}))
    sound(detector.detect({"a": [None, 1.0], "b": [None, None]}))
    assert np.isfinite(detector.score(np.array([[LARGEST, -LARGEST], [np.nan, 0.0]]))).all()
    with pytest.raises(NonFiniteValue):
        detector.score(np.array([[np.inf, 0.0]]))
    with pytest.raises(SchemaMismatch):
        detector.score({"a": ["x", "y"], "b": [1.0, 2.0]})


@pytest.mark.parametrize("name", NAMES)
def test_unseen_categories_score_high_and_finite(name):
    columns = {"x": RNG.normal(size=90), "k": ["p", "p", "q", "q", "r", "p"] * 15}
    detector = pynomaly.Detector(name).fit(columns)
    result = detector.detect({"x": [0.0, 0.0], "k": ["p", "never seen"]})
    sound(result)
    assert result.scores[1] >= result.scores[0]


@pytest.mark.parametrize("name", NAMES)
def test_rows_that_are_all_equal_are_refused_or_normal(name):
    with pytest.raises(NoUsableColumns, match="every value is the same"):
        pynomaly.Detector(name).fit({"a": [1.0] * 40, "b": [2.0] * 40})
    frame = {"a": ColumnData(Column("a", "number"), np.full(40, 3.0))}
    model = Model.fit(frame, name)
    scores, p_values, flagged, _ = model.judge(model.score_frame(frame))
    assert len(set(scores.tolist())) == 1
    assert (p_values == 1).all()
    assert not flagged.any()


@pytest.mark.parametrize("name", NAMES)
def test_one_row_is_too_few(name):
    with pytest.raises((TooFewRows, NoUsableColumns)):
        pynomaly.Detector(name).fit({"a": [1.0], "b": [2.0]})


@pytest.mark.parametrize(
    "name", [n for n in NAMES if n in ("knn", "local_outlier_factor", "dte_nonparametric")]
)
def test_more_neighbours_than_rows_are_lowered_and_said(name):
    detector = pynomaly.Detector(name, n_neighbors=500).fit({"a": np.arange(20.0) ** 2})
    assert any("all 19 others" in note for note in detector.notes_)
    sound(detector.detect({"a": np.arange(20.0) ** 2}))


@pytest.mark.parametrize("name", [n for n in NAMES if "max_samples" in load_class(n)().params])
def test_a_share_of_less_than_two_rows_is_raised_to_two(name):
    asked = 2 if name == "inne" else 0.001  # a count alone
    detector = pynomaly.Detector(name, max_samples=asked).fit(
        {"a": np.arange(7.0) ** 2, "b": RNG.normal(size=7)}
    )
    sound(detector.detect({"a": np.arange(7.0) ** 2, "b": RNG.normal(size=7)}))


@pytest.mark.parametrize("ridge", [1e-9, 1e-6, 1e-4])
@pytest.mark.parametrize("kind", ["more columns than rows", "singular covariance", "one 1e308"])
def test_a_ridge_that_is_next_to_nothing_does_no_harm(kind, ridge):
    sound(pynomaly.detect(table(kind), "elliptic_envelope", ridge=ridge))


def test_a_class_that_is_missing_from_the_labels_has_no_accuracy():
    columns = {"a": RNG.normal(size=50), "label": [0] * 50}
    result = pynomaly.detect(columns, label_column="label")
    assert result.accuracy == {"auc_roc": None, "average_precision": None}
    with pytest.raises(LabelError):
        pynomaly.detect({"a": RNG.normal(size=50), "label": [0, 2] * 25}, label_column="label")


def test_a_number_that_is_too_large_for_a_float_is_named():
    with pytest.raises(NonFiniteValue, match="'a' holds inf in row 1"):
        pynomaly.Detector().fit({"a": [1, 10**400, 3], "b": [1.0, 2.0, 3.0]})


def trained(name):
    columns = {"x": RNG.normal(size=60), "y": RNG.normal(size=60), "k": ["p", "q", "r", "p"] * 15}
    return pynomaly.Detector(name).fit(columns), columns


def changed(data, spoil):
    """Write a bundle anew, whole and with right checksums, after `spoil(manifest, arrays)`."""
    manifest, arrays = bundle.load(data)
    manifest.pop("arrays")
    manifest.pop("format")
    spoil(manifest, arrays)
    return bundle.dump(manifest, arrays)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("number", [-1, 2**31 - 1, 1 << 20])
def test_whole_numbers_out_of_range_are_refused_or_harmless(name, number):
    """Indices of trees, rows, columns and levels: none may lead out of memory."""
    data, X = trained(name)[0].to_bytes(), np.random.default_rng(0).normal(size=(4, 3))
    manifest, arrays = bundle.load(data)
    state = {key.partition(".")[2]: held for key, held in arrays.items() if key.startswith("algorithm.")}
    made = load_class(name)
    for key, held in state.items():
        if held.dtype.kind not in "iu" or number > np.iinfo(held.dtype).max:
            continue
        for places in (slice(None), slice(-1, None)):
            spoilt = {**state, key: held.copy()}
            spoilt[key].reshape(-1)[places] = number
            try:
                algorithm = made.from_state(manifest["parameters"], 0, spoilt)
            except BadBundle:
                continue
            with np.errstate(all="ignore"):
                assert np.isfinite(algorithm.score(X)).all()
                assert np.isfinite(algorithm.contributions(X)).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "int8", "uint64"])
def test_arrays_of_another_type_are_refused(name, dtype):
    detector, _ = trained(name)
    data = detector.to_bytes()
    for array, held in bundle.load(data)[1].items():
        if held.dtype == dtype:
            continue

        def spoil(_, arrays, array=array):
            with np.errstate(all="ignore"):
                arrays[array] = arrays[array].astype(dtype)

        with pytest.raises(BadBundle):
            pynomaly.Detector.from_bytes(changed(data, spoil))


@pytest.mark.parametrize("name", NAMES)
def test_no_array_may_be_missing_or_empty(name):
    detector, _ = trained(name)
    data = detector.to_bytes()
    for array in bundle.load(data)[1]:
        if array.startswith("training."):  # all three or none: without them calibration serves for both
            continue
        for spoil in (
            lambda _, arrays, array=array: arrays.pop(array),
            lambda _, arrays, array=array: arrays.update({array: arrays[array][:0]}),
        ):
            if bundle.load(data)[1][array].size:
                with pytest.raises(BadBundle):
                    pynomaly.Detector.from_bytes(changed(data, spoil))


def test_normal_rows_are_checked():
    detector, _ = trained("isolation_forest")
    data = detector.to_bytes()
    for array, value in (("normal.rows", -1), ("normal.category", 3), ("normal.number", np.inf)):

        def spoil(_, arrays, array=array, value=value):
            arrays[array].flat[0] = value

        with pytest.raises(BadBundle, match="normal rows"):
            pynomaly.Detector.from_bytes(changed(data, spoil))
    for levels in (None, {}, [], [["p", "p", "q"]], [[1, 2, 3]], [["p"], ["q"]]):
        with pytest.raises(BadBundle):
            pynomaly.Detector.from_bytes(changed(data, lambda m, _, levels=levels: m.update(normal=levels)))


def test_damaged_newer_and_boastful_files_are_refused(monkeypatch):
    data = trained("isolation_forest")[0].to_bytes()
    with pytest.raises(BadBundle, match="checksum"):
        pynomaly.Detector.from_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with monkeypatch.context() as patch:
        patch.setattr(bundle, "FORMAT", bundle.FORMAT + 1)
        newer = changed(data, lambda *_: None)
    with pytest.raises(BadBundle, match="upgrade Pynomaly"):
        pynomaly.Detector.from_bytes(newer)
    describe = bundle._describe
    claim = {"shape": [10 * 2**30 // 8]}
    monkeypatch.setattr(bundle, "_describe", lambda array: describe(array) | claim)
    with pytest.raises(BadBundle, match="larger than the file"):
        pynomaly.Detector.from_bytes(changed(data, lambda *_: None))
