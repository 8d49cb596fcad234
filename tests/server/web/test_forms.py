"""The forms made from the catalogue: every algorithm's defaults survive the trip through a form."""

from typing import Any

import pytest

from pynomaly.detection.catalogue import CATALOGUE, SEED, check_parameters, get
from pynomaly.detection.choice import WAYS, Choice
from pynomaly.detection.parameters import Parameter
from pynomaly.server.web import forms

NAMES = sorted(CATALOGUE)


def sent(fields: list[forms.Field]) -> dict[str, str]:
    """What a browser sends for these fields: no unticked checkbox."""
    return {f.name: f.value for f in fields if f.kind != "checkbox" or f.value == "true"}


@pytest.mark.parametrize("name", NAMES)
def test_defaults_survive_the_form(name: str) -> None:
    info = get(name)
    read = forms.answers(info, sent(forms.fields(info)))
    assert read.errors == {}
    assert check_parameters(name, read.values) == check_parameters(name, {})


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_field_with_label_and_help(name: str) -> None:
    info = get(name)
    made = forms.fields(info)
    assert [f.name for f in made] == [forms.PREFIX + p.name for p in info.parameters]
    assert all(f.label and f.help for f in made)
    assert all(f.options for f in made if f.kind == "select")


def test_an_empty_field_means_the_default_and_an_unticked_box_means_no() -> None:
    info = get("one_class_svm")
    read = forms.answers(info, {"parameter-nu": "  "})
    assert read.errors == {}
    assert "nu" not in read.values
    assert read.values["shrinking"] is False


def test_wrong_values_are_named_and_kept() -> None:
    info = get("isolation_forest")
    typed = {"parameter-n_trees": "0", "parameter-max_samples": "lots", "parameter-bootstrap": "true"}
    read = forms.answers(info, typed)
    assert set(read.errors) == {"parameter-n_trees", "parameter-max_samples"}
    assert "lots" in read.errors["parameter-max_samples"]
    assert read.values["bootstrap"] is True
    shown = {f.name: f for f in forms.fields(info, typed, read.errors)}
    assert shown["parameter-max_samples"].value == "lots"
    assert shown["parameter-max_samples"].error == read.errors["parameter-max_samples"]
    assert shown["parameter-bootstrap"].value == "true"


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"members": "hboss"}, "members"),
        ({"members": "knn(n_neighbors=0)"}, "members"),
        ({"members": "hbos, knn", "weights": "1"}, "weights"),
    ],
)
def test_what_is_wrong_in_an_ensemble_is_shown_at_its_field(typed: dict[str, str], field: str) -> None:
    read = forms.answers(get("ensemble"), {forms.PREFIX + name: text for name, text in typed.items()})
    assert list(read.errors) == [forms.PREFIX + field]


def test_the_default_asks_its_question() -> None:
    (shown,) = forms.fields(get("auto"))
    assert shown.label == "Are the training rows free of anomalies?"


def test_an_unticked_box_stays_unticked_when_the_form_comes_back() -> None:
    info = get("one_class_svm")
    shown = {f.name: f for f in forms.fields(info, {"parameter-nu": "9"})}
    assert shown["parameter-shrinking"].value == "false"


def test_number_fields_carry_their_range() -> None:
    made = {f.name: f for f in forms.fields(get("isolation_forest"))}
    trees = made["parameter-n_trees"]
    assert (trees.kind, trees.minimum, trees.maximum, trees.step) == ("number", "1", "10000", "1")
    assert made["parameter-max_features"].step == "any"
    free = forms.field(Parameter("tilt", "float", 0.5, "Tilt."), None)
    assert (free.minimum, free.maximum) == (None, None)


@pytest.mark.parametrize(("typed", "seed"), [("", 0), ("7", 7), (" 12 ", 12)])
def test_a_single_field(typed: str, seed: int) -> None:
    errors: dict[str, str] = {}
    assert forms.single(SEED, {"seed": typed}, errors) == seed
    assert errors == {}


@pytest.mark.parametrize("typed", ["-1", "0.5", "nan", "inf", "1e400", "much"])
def test_a_wrong_single_field(typed: str) -> None:
    errors: dict[str, str] = {}
    assert forms.single(SEED, {"seed": typed}, errors) == 0
    assert list(errors) == ["seed"]


@pytest.mark.parametrize(
    ("way", "number", "meant"),
    [
        ("auto", "", {"contamination": "auto"}),
        ("contamination", "0.01", {"contamination": 0.01}),
        ("contamination", " 0.5 ", {"contamination": 0.5}),
        ("max_alerts", "20", {"max_alerts": 20}),
        ("fdr", "0.1", {"fdr": 0.1}),
        ("quantile", "0.99", {"quantile": 0.99}),
    ],
)
def test_which_rows_to_flag(way: str, number: str, meant: dict[str, Any]) -> None:
    errors: dict[str, str] = {}
    typed = {"flag": way, "flag-value": number}
    assert forms.threshold(typed, errors) == meant
    assert errors == {}
    again = forms.threshold_typed(Choice.of(meant).ways())
    assert forms.threshold(again, errors) == meant


@pytest.mark.parametrize(
    ("way", "number", "said"),
    [
        ("contamination", "0", "above 0 up to 0.5"),
        ("contamination", "0.51", "above 0 up to 0.5"),
        ("contamination", "nan", "above 0 up to 0.5"),
        ("max_alerts", "2.5", "whole number from 1"),
        ("max_alerts", "much", "whole number from 1"),
        ("fdr", "1e400", "above 0 up to 0.5"),
        ("quantile", "1.1", "above 0 up to 1"),
        ("fdr", "", "Type the number, such as 0.1"),
        ("auto", "0.01", "Choose what this number means"),
        ("score", "0.01", "Choose what this number means"),
    ],
)
def test_a_wrong_threshold(way: str, number: str, said: str) -> None:
    errors: dict[str, str] = {}
    forms.threshold({"flag": way, "flag-value": number}, errors)
    assert list(errors) == ["flag-value"]
    assert said in errors["flag-value"]


def test_every_way_has_a_label_and_an_example() -> None:
    assert [way for way, _ in forms.ways(None)] == ["auto", *WAYS]
    assert forms.EXAMPLES.keys() == WAYS.keys()
