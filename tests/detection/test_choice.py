"""One way to choose the threshold at a time, with a value in its range."""

import json

import numpy as np
import pytest

from pynomaly.detection.choice import WAYS, Choice
from pynomaly.errors import BadParameter


@pytest.mark.parametrize(
    ("given", "way", "value"),
    [
        ({}, "contamination", "auto"),
        ({"contamination": None, "fdr": None}, "contamination", "auto"),
        ({"contamination": "auto"}, "contamination", "auto"),
        ({"contamination": 0.5}, "contamination", 0.5),
        ({"contamination": np.float32(0.25)}, "contamination", 0.25),
        ({"max_alerts": np.int64(3)}, "max_alerts", 3),
        ({"max_alerts": 5.0}, "max_alerts", 5),
        ({"fdr": 1e-9}, "fdr", 1e-9),
        ({"quantile": 1}, "quantile", 1.0),
    ],
)
def test_the_one_that_is_given(given, way, value):
    choice = Choice.of(given)
    assert (choice.way, choice.value) == (way, value)
    assert choice.ways() == dict.fromkeys(WAYS) | {way: value}
    assert Choice.from_json(json.loads(json.dumps(choice.json()))) == choice


@pytest.mark.parametrize(
    "given",
    [
        {"contamination": 0},
        {"contamination": 0.500001},
        {"contamination": "0.1"},
        {"contamination": True},
        {"contamination": float("nan")},
        {"contamination": np.array([0.1, 0.2])},
        {"max_alerts": 0},
        {"max_alerts": 2.5},
        {"max_alerts": "auto"},
        {"fdr": 0},
        {"fdr": 0.6},
        {"fdr": "auto"},
        {"quantile": 0},
        {"quantile": 1.01},
    ],
)
def test_a_value_out_of_its_range_names_the_way(given):
    with pytest.raises(BadParameter, match=f"Parameter {next(iter(given))} is"):
        Choice.of(given)


def test_two_ways_at_once_are_refused():
    with pytest.raises(BadParameter, match="not max_alerts and fdr together"):
        Choice.of({"fdr": 0.1, "max_alerts": 3})
    with pytest.raises(BadParameter, match="not contamination and quantile together"):
        Choice.of({"contamination": "auto", "quantile": 0.9})


def test_a_score():
    choice = Choice.at(np.float32(0.5))
    assert (choice.way, choice.value, choice.ways()) == ("value", 0.5, dict.fromkeys(WAYS))
    assert Choice.from_json(choice.json()) == choice
    for value in (float("nan"), "0.5", None, True, 10**400):
        with pytest.raises(BadParameter, match="threshold is a finite number"):
            Choice.at(value)


@pytest.mark.parametrize("stored", [None, [], {}, "auto", {"budget": 3}, {"fdr": 0.1, "quantile": 0.9}])
def test_a_stored_choice_that_makes_no_sense_is_refused(stored):
    with pytest.raises(BadParameter):
        Choice.from_json(stored)
