"""A model: the same scores from any batch, order and copy of it, and no file that is not one."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.columns import Column, ColumnData, Levels
from pynomaly.detection import bundle
from pynomaly.detection.algorithms.auto import SAID_MIXED
from pynomaly.detection.catalogue import CATALOGUE
from pynomaly.detection.features import column_of
from pynomaly.detection.model import Model
from pynomaly.errors import BadBundle, BadParameter, TooFewRows, UnknownAlgorithm


def mixed(n=120, seed=0):
    """A table of three kinds of columns with one odd row, the last."""
    rng = np.random.default_rng(seed)
    numbers = [None if i % 17 == 3 else float(v) for i, v in enumerate(rng.normal(size=n))]
    kinds = [str(k) for k in rng.choice(["a", "b", "c"], n, p=[0.7, 0.2, 0.1])]
    times = [f"2026-01-{1 + i % 28:02}T{8 + i % 9:02}:00:00" for i in range(n)]
    return {
        "x": column_of(Column("x", "number"), [*numbers, 30.0]),
        "k": column_of(Column("k", "category"), [*kinds, "odd"]),
        "t": column_of(Column("t", "timestamp"), [*times, "2026-01-03T03:00:00"]),
    }


def rows_of(frame, rows):
    def pick(values):
        return Levels(values.codes[rows], values.levels) if isinstance(values, Levels) else values[rows]

    return {name: ColumnData(data.column, pick(data.values)) for name, data in frame.items()}


FRAME = mixed()
NAMES = [name for name, entry in CATALOGUE.items() if entry.extra is None]
MODELS = {name: Model.fit(FRAME, name, seed=3) for name in NAMES}


@pytest.fixture(params=NAMES)
def model(request):
    return MODELS[request.param]


def test_the_odd_row_is_an_anomaly_and_explained(model):
    score, p_value, is_anomaly, cut = model.score_block(FRAME)
    assert score.argmax() == len(score) - 1
    assert p_value[-1] <= 2 / (len(score) + 1)
    assert cut == model.threshold
    assert (is_anomaly == (score > cut)).all()
    assert model.with_threshold(max_alerts=1).score_block(FRAME)[2].tolist() == [False] * 120 + [True]
    reasons = model.reasons(FRAME)
    assert len(reasons) == len(score)
    assert reasons[-1][0].column in {"x", "k", "t"}
    assert all(r.contribution > 0 for row in reasons for r in row)


@given(st.data())
@settings(deadline=None, max_examples=15)
def test_a_rows_score_depends_on_no_other_row_nor_on_the_order_of_columns(data):
    model = MODELS[data.draw(st.sampled_from(NAMES))]
    rows = np.array(data.draw(st.lists(st.integers(0, 120), min_size=1, max_size=30)))
    part = rows_of(FRAME, rows)
    part = {name: part[name] for name in data.draw(st.permutations(list(part)))} | {"extra": part["x"]}
    for whole, some in zip(model.score_block(FRAME)[:3], model.score_block(part)[:3], strict=True):
        assert (whole[rows] == some).all()


def test_training_scores_are_what_scoring_the_training_table_gives(model):
    assert (model.algorithm.training_scores_ == model.score_frame(FRAME)).all()


def test_saved_and_loaded_models_score_and_explain_alike_to_the_bit(model):
    again = Model.from_bytes(model.to_bytes())
    new = mixed(60, seed=9)
    for before, after in zip(model.score_block(new), again.score_block(new), strict=True):
        assert np.array_equal(before, after)
    assert again.reasons(new) == model.reasons(new)
    assert again.to_bytes() == model.to_bytes()
    assert (again.schema, again.notes, again.threshold) == (model.schema, model.notes, model.threshold)


def test_rows_of_json_values_make_the_frame_they_came_from(model):
    rows = [
        {"x": None, "k": "a", "t": "2026-01-01T08:00:00"},
        {"x": 2.5, "k": None, "t": None},
    ]
    made = model.frame_of_rows(rows)
    direct = {
        "x": column_of(Column("x", "number"), [None, 2.5]),
        "k": column_of(Column("k", "category"), ["a", None]),
        "t": column_of(Column("t", "timestamp"), ["2026-01-01T08:00:00", None]),
    }
    assert (model.score_frame(made) == model.score_frame(direct)).all()


def test_no_rows_have_no_reasons():
    assert MODELS["isolation_forest"].reasons(rows_of(FRAME, np.array([], dtype=int))) == []


def test_the_threshold_can_be_moved_without_touching_the_first_model():
    model = MODELS["isolation_forest"]
    moved = model.with_threshold(0.0)
    assert moved.score_block(FRAME)[2].all()
    assert not model.score_block(FRAME)[2].all()
    highest = float(model.score_frame(FRAME).max())
    assert not model.with_threshold(highest).score_block(FRAME)[2].any()  # only scores above it count
    for value in (float("nan"), "0.5", [], True):
        with pytest.raises(BadParameter, match="threshold is a finite number"):
            model.with_threshold(value)


def test_contamination_sets_the_share_that_is_flagged():
    model = Model.fit(FRAME, contamination=0.25)
    assert model.score_block(FRAME)[2].sum() == pytest.approx(0.25 * 121, abs=1)


def test_seeds_make_training_repeatable():
    first, second, other = (Model.fit(FRAME, seed=seed).score_frame(FRAME) for seed in (1, 1, 2))
    assert (first == second).all()
    assert not (first == other).all()


def test_bad_requests_are_refused_before_training():
    with pytest.raises(UnknownAlgorithm, match="Did you mean 'isolation_forest'"):
        Model.fit(FRAME, "isolation_forrest")
    with pytest.raises(BadParameter, match=r"n_trees of isolation_forest is .* not 'many'"):
        Model.fit(FRAME, "isolation_forest", parameters={"n_trees": "many"})
    with pytest.raises(BadParameter, match="contamination"):
        Model.fit(FRAME, contamination=0.6)
    with pytest.raises(TooFewRows, match="at least 2 rows"):
        Model.fit(rows_of(FRAME, np.array([0])))


def test_columns_that_are_not_used_are_noted():
    """The notes on columns come first, then those of the algorithm."""
    constant = Column("c", "constant", "every value is the same")
    model = Model.fit(FRAME, "isolation_forest", schema=[*(d.column for d in FRAME.values()), constant])
    assert model.notes == ("Column 'c' is not used: every value is the same.",)
    assert model.columns == ("x", "k", "t")
    many = [Column(f"c{i}", "constant", "alike") for i in range(30)]
    notes = Model.fit(FRAME, "isolation_forest", schema=[*(d.column for d in FRAME.values()), *many]).notes
    assert len(notes) == 21
    assert notes[-1] == "10 more columns are not used."
    assert Model.fit(FRAME, "auto", schema=[*(d.column for d in FRAME.values()), constant]).notes == (
        "Column 'c' is not used: every value is the same.",
        SAID_MIXED,
    )


def spoiled(change, key=None):
    """Save a model, change its manifest, and seal it again as its owner would."""
    manifest, arrays = bundle.load(MODELS["isolation_forest"].to_bytes())
    change(manifest)
    manifest.pop("arrays")
    return bundle.dump(manifest, arrays, key)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m.pop("algorithm"),
        lambda m: m.update(algorithm="os.system"),
        lambda m: m.update(algorithm="one_class_svm"),
        lambda m: m["parameters"].update(n_trees=10**9),
        lambda m: m["parameters"].update(more=1),
        lambda m: m.update(seed=-1),
        lambda m: m.update(seed=None),
        lambda m: m.pop("encoder"),
        lambda m: m["encoder"].update(
            schema=m["encoder"]["schema"][:1], features=m["encoder"]["features"][:1]
        ),
        lambda m: (
            m["encoder"].update(schema=m["encoder"]["schema"][:1], features=m["encoder"]["features"][:1]),
            m.update(typical=m["typical"][:1]),
        ),
        lambda m: m.update(typical={}),
        lambda m: m.update(calibration=[]),
        lambda m: m["calibration"].update(rows=3),
        lambda m: m["calibration"].update(scores=None),
        lambda m: m["calibration"].update(outlying="few"),
        lambda m: m["calibration"].update(outlying=[1.5] * 7),
        lambda m: m.update(choice={"contamination": 2}),
        lambda m: m.update(choice={"contamination": 0.1, "fdr": 0.1}),
        lambda m: m.update(choice={"budget": 3}),
        lambda m: m.update(choice={"value": "high"}),
        lambda m: m.update(choice="auto"),
        lambda m: m.pop("choice"),
        lambda m: m.update(threshold="high"),
        lambda m: m.pop("threshold"),
        lambda m: m.update(notes=[1]),
        lambda m: m.update(notes="text"),
    ],
)
def test_a_sealed_file_that_makes_no_sense_is_refused(change):
    with pytest.raises(BadBundle):
        Model.from_bytes(spoiled(change))


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_sealed_files_with_hostile_arrays_are_refused_or_score_without_harm(data):
    """Whatever the arrays hold, loading raises BadBundle or gives a model that scores."""
    name = data.draw(st.sampled_from(NAMES))
    manifest, arrays = bundle.load(MODELS[name].to_bytes())
    manifest.pop("arrays")
    victim = data.draw(st.sampled_from(sorted(n for n, a in arrays.items() if a.size)))
    array = arrays[victim].copy()
    at = data.draw(st.integers(0, array.size - 1))
    if array.dtype.kind == "f":
        value = data.draw(st.sampled_from([np.nan, np.inf, -np.inf, 1e30, -1.0, 0.0]))
    elif array.dtype.kind == "b":
        value = not array.flat[at]
    else:
        info = np.iinfo(array.dtype)
        value = data.draw(st.sampled_from([info.min, info.max, 0, 1, 2**7 - 1]))
    array.flat[at] = value
    how = data.draw(st.sampled_from(["value", "shape", "missing"]))
    changed = dict(arrays)
    if how == "value":
        changed[victim] = array
    elif how == "shape":
        changed[victim] = array.reshape(-1)[:-1]
    else:
        del changed[victim]
    try:
        model = Model.from_bytes(bundle.dump(manifest, changed))
    except BadBundle:
        return
    with np.errstate(all="ignore"):
        assert len(model.score_frame(FRAME)) == 121
        assert len(model.reasons(rows_of(FRAME, np.arange(118, 121)))) == 3


def test_the_manifest_names_what_made_it():
    manifest, _ = bundle.load(MODELS["isolation_forest"].to_bytes())
    assert manifest["algorithm"] == "isolation_forest"
    assert manifest["seed"] == 3
    assert set(manifest["libraries"]) == {"python", "numpy"}
    assert json.dumps(manifest)
