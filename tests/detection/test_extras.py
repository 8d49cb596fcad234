"""Algorithms that need optional extras: listed everywhere, refused with the install command."""

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest

import pynomaly
from pynomaly.cli.main import main
from pynomaly.detection import catalogue
from pynomaly.detection.catalogue import CATALOGUE, create, require
from pynomaly.detection.entries import info
from pynomaly.detection.entries.pyod import PEERS
from pynomaly.detection.trust import allowing_skops, skops_allowed
from pynomaly.errors import MissingExtra

TORCH = "pip install 'pynomaly-platform[torch]'"


@pytest.fixture
def bare(monkeypatch):
    """An installation without any extra."""
    gone = {name for packages in info.PACKAGES.values() for name in packages}
    known = info.installed
    monkeypatch.setattr(info, "installed", lambda name: name not in gone and known(name))


@pytest.fixture
def full(monkeypatch):
    """An installation that has every extra, or says so."""
    monkeypatch.setattr(info, "installed", lambda _: True)


class TestCatalogue:
    def test_says_what_is_missing_and_how_to_install_it(self, bare):
        entry = CATALOGUE["autoencoder"]
        assert (entry.extra, entry.available, entry.missing) == ("torch", False, ("torch",))
        assert entry.install == TORCH
        both = CATALOGUE["pyod.VAE"]
        assert both.missing == ("pyod", "skops", "combo", "tqdm", "torch")
        assert both.install == "pip install 'pynomaly-platform[pyod,torch]'"
        shown = entry.json()
        assert (shown["extra"], shown["available"], shown["install"]) == ("torch", False, TORCH)

    def test_what_needs_nothing_is_always_there(self, bare):
        for entry in CATALOGUE.values():
            assert entry.available == (entry.extra is None)
            assert (entry.install is None) == (entry.extra is None)

    def test_with_the_extra_all_are_there(self, full):
        assert all(entry.available for entry in CATALOGUE.values())

    def test_extras_are_those_of_the_package(self):
        import tomllib
        from pathlib import Path

        project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
        declared = project["optional-dependencies"]
        for extra, packages in info.PACKAGES.items():
            listed = " ".join(declared[extra])
            assert all(package in listed for package in packages), f"{extra} installs {listed}"

    def test_looking_imports_no_extra_and_no_numeric_library(self):
        code = (
            "import sys, pynomaly.detection.catalogue as c;"
            "[entry.json() for entry in c.CATALOGUE.values()];"
            "print([m for m in ('numpy', 'sklearn', 'torch', 'tensorflow', 'keras', 'pyod', 'skops')"
            " if m in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_of_ensembles_the_members_count(self, bare):
        with pytest.raises(MissingExtra, match="autoencoder needs torch"):
            require("ensemble", {"members": ("isolation_forest", "autoencoder")})
        require("ensemble", {"members": ("isolation_forest",)})

    @pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
    def test_entries_of_pyod_are_whole(self, peer):
        entry = CATALOGUE[f"pyod.{peer.name}"]
        assert len(entry.name) <= 64  # as the database's column
        assert {p.name for p in entry.parameters} >= {"training_rows", "scaling"}
        assert entry.summary.endswith(".")


def test_no_parameter_has_the_name_of_an_argument():
    """Else `Detector("x", name=…)` could not be said, and a saved one could not be made again."""
    taken = {*inspect.signature(pynomaly.Detector).parameters, *inspect.signature(pynomaly.detect).parameters}
    for entry in CATALOGUE.values():
        assert not taken & {p.name for p in entry.parameters}, entry.name


class TestRefusals:
    def test_creating_names_the_command(self, bare):
        with pytest.raises(MissingExtra, match="not installed here") as caught:
            create("autoencoder")
        assert TORCH in caught.value.message
        assert caught.value.details["install"] == TORCH
        assert caught.value.status == 501

    @pytest.mark.parametrize("name", ["autoencoder", "keras_autoencoder", "pyod.KNN", "pyod.VAE"])
    def test_training_names_the_command_before_the_table_is_read(self, bare, name):
        for work in (
            lambda: pynomaly.Detector(name).fit("/no/such/file.csv"),
            lambda: pynomaly.detect("/no/such/file.csv", name),
        ):
            with pytest.raises(MissingExtra, match="pip install 'pynomaly-platform"):
                work()

    @pytest.mark.parametrize("name", ["autoencoder", "keras_autoencoder", "pyod.KNN"])
    def test_the_class_itself_refuses_too(self, bare, name):
        with pytest.raises(MissingExtra):
            catalogue.load_class(name)().fit(np.random.default_rng(0).normal(size=(30, 2)))

    @pytest.mark.parametrize("name", ["pyod.KNN", "pyod.VAE"])
    def test_reading_a_model_names_the_command(self, bare, name):
        with allowing_skops(), pytest.raises(MissingExtra, match="pip install 'pynomaly-platform"):
            catalogue.load_class(name).from_state({}, 0, {})


class TestCommandLine:
    def test_lists_them_with_the_command(self, bare, capsys):
        assert main(["algorithms"]) == 0
        out = capsys.readouterr().out
        assert f"autoencoder: Autoencoder\n  Not available here: {TORCH}\n" in out
        assert "pyod.ABOD: PyOD ABOD\n  Not available here: pip install 'pynomaly-platform[pyod]'\n" in out
        assert main(["algorithms", "autoencoder", "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["available"] is False

    def test_says_nothing_where_they_are_installed(self, full, capsys):
        assert main(["algorithms", "autoencoder"]) == 0
        assert "Not available" not in capsys.readouterr().out

    def test_detecting_fails_in_one_line(self, bare, tmp_path, capsys):
        file = tmp_path / "t.csv"
        file.write_text("a,b\n1,2\n3,4\n5,6\n")
        assert main(["detect", str(file), "--algorithm", "autoencoder"]) == MissingExtra.exit_code
        [line] = capsys.readouterr().err.strip().splitlines()
        assert TORCH in line


def test_skops_is_allowed_only_inside():
    assert not skops_allowed()
    with allowing_skops():
        assert skops_allowed()
        with allowing_skops(False):
            assert not skops_allowed()
    assert not skops_allowed()
