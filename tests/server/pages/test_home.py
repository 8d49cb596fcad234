"""The start page."""

from typing import Any

import pytest

pytestmark = pytest.mark.any_database


def test_a_new_person_is_led_to_the_first_step(person: Any) -> None:
    page = person.see("/")
    assert "Find the unusual rows in a table" in page
    assert 'href="/datasets/new"' in page


def test_a_viewer_is_not_offered_what_they_may_not_do(viewer: Any) -> None:
    for address in ("/", "/datasets", "/detections", "/detectors"):
        page = viewer.see(address)
        assert "/new" not in page
        assert "eve@example.org" in page


def test_recent_results_and_datasets_are_listed(person: Any, dataset: str) -> None:
    page = person.see("/")
    assert "Shop visits" in page
    assert "Recent results" not in page
    result = person.go("/detections/new", dataset=dataset, algorithm="isolation_forest")
    person.until_done(result)
    page = person.see("/")
    assert "Recent results" in page
    assert f'href="{result}"' in page


def test_a_stranger_is_sent_to_the_log_in_page(client: Any) -> None:
    answer = client.get("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=%2F")
