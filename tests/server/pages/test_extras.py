"""Algorithms whose extra is missing: listed by the API and the pages, and refused in one sentence."""

from typing import Any

import httpx
import pytest

from pynomaly.detection.entries import info

pytestmark = pytest.mark.any_database

INSTALL = "pip install 'pynomaly-platform[torch]'"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without any extra."""
    gone = {name for packages in info.PACKAGES.values() for name in packages}
    monkeypatch.setattr(info, "installed", lambda name: name not in gone)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that says that it has every extra."""
    monkeypatch.setattr(info, "installed", lambda _: True)


@pytest.mark.usefixtures("bare")
def test_the_api_lists_them_and_refuses_them(api: httpx.Client) -> None:
    listed = {one["name"]: one for one in api.get("/api/v1/detectors/algorithms").json()["items"]}
    assert listed["isolation_forest"]["available"] is True
    assert listed["isolation_forest"]["install"] is None
    found = listed["autoencoder"]
    assert (found["extra"], found["available"], found["install"]) == ("torch", False, INSTALL)
    answer = api.post("/api/v1/detectors", json={"name": "d", "algorithm": "autoencoder"})
    assert answer.status_code == 501
    problem = answer.json()
    assert (problem["code"], problem["details"]["install"]) == ("missing_extra", INSTALL)
    assert INSTALL in problem["detail"]


@pytest.mark.usefixtures("full")
def test_the_api_takes_those_that_are_installed(api: httpx.Client) -> None:
    for name in ("pyod.VAE", "pyod.KNN", "autoencoder"):
        answer = api.post("/api/v1/detectors", json={"name": name, "algorithm": name})
        assert answer.status_code == 201


@pytest.mark.usefixtures("bare")
def test_the_form_shows_them_without_a_link(person: Any) -> None:
    page = person.see("/detectors/new")
    assert "Autoencoder" in page
    assert "1 more, not installed: pip install 'pynomaly-platform[torch]'" in page
    assert page.count('aria-disabled="true"') >= 42
    assert "algorithm=autoencoder" not in page
    assert "algorithm=isolation_forest" in page


@pytest.mark.usefixtures("full")
def test_the_form_offers_what_is_installed(person: Any) -> None:
    page = person.see("/detectors/new?algorithm=pyod.KNN")
    assert "aria-disabled" not in page
    assert "algorithm=autoencoder" in page
    shown, folded = page.split('<details class="choice-more">', 1)
    assert 'algorithm=pyod.KNN" aria-current="true"' in shown
    assert "algorithm=pyod.KNN" not in folded
    assert "algorithm=pyod.LOF" in folded
    assert 'name="parameter-n_neighbors"' in page


@pytest.mark.usefixtures("bare")
def test_the_form_of_one_that_is_missing_says_how_to_install_it(person: Any) -> None:
    fields = {"name": "Guard", "algorithm": "autoencoder", "seed": "1"}
    page = person.send("/detectors/new", 501, **fields)
    assert "needs torch, not installed here" in page
    assert 'value="Guard"' in page
    assert "Not installed here: pip install" in person.see("/detectors/new?algorithm=autoencoder")
