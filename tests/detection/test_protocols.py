"""Which rows an evaluation learns from and scores: never an anomaly to learn from, never a row for both."""

import numpy as np
import pytest

from pynomaly.columns import Column, ColumnData, Levels
from pynomaly.detection.encoding import Encoder
from pynomaly.detection.protocols import ONE_CLASS, UNSUPERVISED, drawn, rows_of
from pynomaly.errors import TooFewRows

N = 41
LABELS = (np.arange(N) % 4 == 1).astype(np.int8)
NORMAL = int((LABELS == 0).sum())
KIND = Column("kind", "category")
AT = Column("at", "timestamp")
NUMBER = Column("number", "number")
FRAME = {
    "number": ColumnData(NUMBER, np.arange(N, dtype=float)),
    "kind": ColumnData(
        KIND, Levels(np.where(LABELS, 2, np.arange(N) % 2).astype(np.int32), ("a", "b", "odd"))
    ),
    "at": ColumnData(AT, np.datetime64("2026-01-01T05:00", "us") + np.arange(N) * np.timedelta64(3, "h")),
}
SCHEMA = (NUMBER, KIND, AT)


def rows(X):
    """The first column is the row's number."""
    return X[:, 0].astype(int).tolist()


def test_unsupervised_learns_from_all_rows_and_scores_them():
    split = drawn(FRAME, SCHEMA, LABELS, UNSUPERVISED, 0)
    assert split.train is split.test
    assert rows(split.train) == list(range(N))
    assert split.labels is LABELS
    assert split.schema == SCHEMA


@pytest.mark.parametrize("seed", range(5))
def test_one_class_learns_from_half_of_the_normal_rows(seed):
    split = drawn(FRAME, SCHEMA, LABELS, ONE_CLASS, seed)
    learned, scored = rows(split.train), rows(split.test)
    assert len(learned) == NORMAL // 2
    assert not LABELS[learned].any()
    assert sorted(learned + scored) == list(range(N))
    assert split.labels.tolist() == LABELS[scored].tolist()


def test_each_seed_draws_another_half_and_the_same_one_again():
    drawn_rows = [rows(drawn(FRAME, SCHEMA, LABELS, ONE_CLASS, seed).train) for seed in (0, 1, 0)]
    assert drawn_rows[0] == drawn_rows[2] != drawn_rows[1]


def test_columns_are_encoded_by_the_rows_to_learn_from():
    split = drawn(FRAME, SCHEMA, LABELS, ONE_CLASS, 3)
    learned, scored = rows(split.train), rows(split.test)
    encoder = Encoder.fit(rows_of(FRAME, np.array(learned)), SCHEMA)
    assert encoder.features["kind"].levels in (("a", "b"), ("b", "a"))
    assert np.array_equal(split.test, encoder.transform(rows_of(FRAME, np.array(scored))))
    assert (split.test[split.labels == 1, 1] == 1).all()  # a level that training did not have


def test_too_few_normal_rows_to_halve():
    few = np.ones(N, dtype=np.int8)
    few[:3] = 0
    with pytest.raises(TooFewRows, match="at least 4 normal rows, not 3"):
        drawn(FRAME, SCHEMA, few, ONE_CLASS, 0)
    few[3] = 0
    assert len(drawn(FRAME, SCHEMA, few, ONE_CLASS, 0).train) == 2
