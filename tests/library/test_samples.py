"""Sample tables: repeatable, labelled, and anomalies in them can be found."""

import csv

import numpy as np
import pytest

import pynomaly
from pynomaly import samples


@pytest.mark.parametrize(
    ("name", "rows", "rare"), [("breast_cancer", 378, 21), ("wine", 129, 10), ("digits", 1649, 30)]
)
def test_real_tables_have_the_stated_rows_and_anomalies(name, rows, rare):
    table = samples.SAMPLES[name]()
    assert {len(column) for column in table.values()} == {rows}
    assert sum(table["is_anomaly"]) == rare
    assert table == samples.SAMPLES[name](seed=0)
    assert table != samples.SAMPLES[name](seed=1)


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_anomalies_in_real_tables_can_be_found(name):
    result = pynomaly.detect(samples.SAMPLES[name](), label_column="is_anomaly", max_explained=0)
    assert result.metrics["auc_roc"] > 0.7


def test_payments_are_repeatable_and_have_every_kind_of_fraud():
    table = samples.payments(3000, seed=4)
    assert table == samples.payments(3000, seed=4)
    assert set(table["fraud_kind"]) == {"", *samples.FRAUDS}
    assert [kind != "" for kind in table["fraud_kind"]] == [bool(label) for label in table["is_fraud"]]
    assert 0.005 < np.mean(table["is_fraud"]) < 0.03
    assert None in table["customer_age"]


def test_frauds_can_be_found_in_payments():
    result = pynomaly.detect(
        samples.payments(), label_column="is_fraud", exclude=["fraud_kind"], max_explained=0
    )
    assert result.metrics["auc_roc"] > 0.9


def test_samples_can_be_written(tmp_path):
    samples.write_csv("payments", tmp_path / "p.csv", n=50, seed=1)
    with (tmp_path / "p.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 50
    assert list(rows[0]) == list(samples.payments(1))
    with pytest.raises(KeyError):
        samples.write_csv("nope", tmp_path / "n.csv")
