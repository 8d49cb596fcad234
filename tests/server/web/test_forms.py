"""The forms made from the catalogue: every algorithm's defaults survive the trip through a form."""

import pytest

from pynomaly.detection.catalogue import CATALOGUE, check_parameters, get
from pynomaly.detection.parameters import Parameter
from pynomaly.server.detectors.service import CONTAMINATION
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


@pytest.mark.parametrize(("typed", "share"), [("", "auto"), ("auto", "auto"), ("0.01", 0.01), (" 0.5 ", 0.5)])
def test_a_single_field(typed: str, share: float | str) -> None:
    errors: dict[str, str] = {}
    assert forms.single(CONTAMINATION, {"contamination": typed}, errors) == share
    assert errors == {}


@pytest.mark.parametrize("typed", ["0", "0.51", "-1", "nan", "inf", "1e400", "much"])
def test_a_wrong_single_field(typed: str) -> None:
    errors: dict[str, str] = {}
    assert forms.single(CONTAMINATION, {"contamination": typed}, errors) == "auto"
    assert list(errors) == ["contamination"]
