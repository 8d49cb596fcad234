"""`pynomaly algorithms`: the catalogue as text and as JSON."""

import json

from pynomaly.cli.main import main
from pynomaly.detection.catalogue import CATALOGUE


def test_every_algorithm_and_parameter_is_listed_with_help_and_default(capsys):
    assert main(["algorithms"]) == 0
    out = capsys.readouterr().out
    for entry in CATALOGUE.values():
        assert f"{entry.name}: {entry.title}" in out
        assert entry.summary in out
        for parameter in entry.parameters:
            assert f"{parameter.help} Values: {parameter.allowed()}. Default: " in out


def test_one_algorithm(capsys):
    assert main(["algorithms", "one_class_svm"]) == 0
    out = capsys.readouterr().out
    assert "one_class_svm: " in out
    assert "isolation_forest: " not in out
    assert main(["algorithms", "one_class_svn"]) == 3
    assert "Did you mean 'one_class_svm'" in capsys.readouterr().err


def test_json_is_the_catalogue(capsys):
    assert main(["algorithms", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [entry.json() for entry in CATALOGUE.values()]
