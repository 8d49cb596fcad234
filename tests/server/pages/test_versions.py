"""The pages of a detector's versions: what changed, one put into use, roll back, accuracy, threshold."""

import re
from typing import Any

import pytest

pytestmark = pytest.mark.any_database

FOREST = "isolation_forest"
EVIL = "<img src=x onerror=alert(1)>"


def retrained(person: Any, address: str, dataset: str, **changes: str) -> str:
    """Change a detector's form, train it and return its page."""
    fields = {"name": EVIL, "algorithm": FOREST, "seed": "1", "parameter-n_trees": "30"}
    person.go(f"{address}/edit", **fields | changes)
    person.go(f"{address}/train", dataset=dataset)
    return str(person.until_done(address))


@pytest.fixture
def detector(person: Any, dataset: str) -> str:
    """Address of a detector with two versions; the second has 31 trees."""
    address = person.go("/detectors/new", name=EVIL, algorithm=FOREST)
    retrained(person, address, dataset)
    retrained(person, address, dataset, **{"parameter-n_trees": "31"})
    return str(address)


def test_what_changed_and_back_again(person: Any, detector: str) -> None:
    page = person.see(detector)
    assert EVIL not in person.http.get(detector).text
    assert re.search(r"Number of trees:</span> 30 → 31", page)
    assert "the first one" in page
    assert "Trained version 2" in page
    page = person.see(f"{detector}/compare")
    assert "Version 1 and version 2" in page
    assert re.search(r"Number of trees</span></th><td>30</td><td>31</td>", page)
    assert "1 column differs" not in page
    ask = f"{detector}/versions/1/activate"
    page = person.see(ask)
    assert "Use version 1?" in page
    assert "takes the place of version 2" in page
    assert re.search(r"Number of trees</span></th><td>31</td><td>30</td>", page)
    assert "The version is in use." in person.see(person.go(ask, version="1"))
    assert "Trained version 1" in person.see(detector)
    page = person.see(f"{detector}/rollback")
    assert "Use version 2?" in page
    assert "Another version has come into use" in person.send(f"{detector}/rollback", 409, version="1")
    person.go(f"{detector}/rollback", version="2")
    assert "Trained version 2" in person.see(detector)
    assert "Use version 1?" in person.see(f"{detector}/rollback")


def test_versions_that_are_not_there(person: Any, detector: str) -> None:
    for address in ("versions/9/activate", "versions/x/activate", "compare?before=1&after=9"):
        person.see(f"{detector}/{address}", 404)
    fresh = person.go("/detectors/new", name="Fresh", algorithm=FOREST)
    person.see(f"{fresh}/compare", 404)
    assert "was in use before" in person.see(f"{fresh}/rollback", 409)


def test_accuracy_over_time(person: Any, dataset: str, detector: str) -> None:
    """Of versions trained with labels, and of results with labels and verdicts."""
    page = person.see(detector)
    assert page.count('r="4.5"') == 2
    assert "judged" not in page
    result = person.go("/detections/new", dataset=dataset, detector=detector.rsplit("/", 1)[1])
    person.until_done(result)
    given = {"items": [{"row": 100, "verdict": "anomaly"}, {"row": 1, "verdict": "normal"}]}
    path = f"/api/v1/detection/results/{result.rsplit('/', 1)[1]}/feedback"
    assert person.http.post(path, json=given).status_code == 200
    page = person.see(detector)
    assert page.count('r="4.5"') == 3
    assert "1 of 2 judged" in page
    assert "Confirmed by people 0.5" in page


def test_the_threshold_is_moved_without_training(person: Any, detector: str) -> None:
    page = person.send(f"{detector}/threshold", flag="threshold", **{"flag-value": "high"})
    assert "Type a score" in page
    assert 'value="high"' in page
    person.go(f"{detector}/threshold", flag="threshold", **{"flag-value": "0.625"})
    page = person.see(detector)
    assert "scores above 0.625, chosen by hand" in page
    assert "Trained version 2" in page
    assert "is given up" in person.see(f"{detector}/versions/1/activate")
    page = person.send(f"{detector}/threshold", flag="fdr", **{"flag-value": "7"})
    assert "above 0 up to 0.5" in page
    person.go(f"{detector}/threshold", flag="max_alerts", **{"flag-value": "3"})
    assert "at most 3 training rows" in person.see(detector)


def test_versions_are_named(person: Any, detector: str) -> None:
    person.go(f"{detector}/aliases", alias="staging", version="1")
    assert '<span class="tag">staging</span>' in person.see(detector)
    page = person.send(f"{detector}/aliases", alias="Not a Name", version="1")
    assert "An alias begins with a small letter" in page
    assert 'value="Not a Name"' in page
    person.go(f"{detector}/aliases", drop="staging")
    assert '<span class="tag">staging</span>' not in person.see(detector)


def test_exported_and_imported(person: Any, detector: str) -> None:
    answer = person.http.get(f"{detector}/export?version=1")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    sent = {"file": ("mine.pynomaly", answer.content)}
    made = person.http.post("/detectors/import", data={"name": "Taken over"}, files=sent)
    assert made.status_code == 303
    page = person.see(made.headers["location"])
    assert "<h1>Taken over</h1>" in page
    assert "its version is in use" in page
    wrong = bytearray(answer.content)
    wrong[len(wrong) // 2] ^= 1
    for content in (bytes(wrong), b"", b"not a model"):
        sent = {"file": ("bad.pynomaly", content)}
        again = person.http.post("/detectors/import", data={"name": EVIL}, files=sent)
        assert again.status_code == 422
        assert 'role="alert"' in again.text
        assert EVIL not in again.text
        assert 'value="&lt;img' in again.text


def test_shared_seen_used_and_taken_back(person: Any, viewer: Any, detector: str) -> None:
    share = f"{detector}/share"
    assert "Nobody but you" in person.see(share)
    assert "Nobody here has this account." in person.send(share, whom="person", email="nobody@example.org")
    assert person.go(share, whom="person", email="eve@example.org", access="view") == share
    assert "may view it" in person.see(share)
    page = viewer.see(detector)
    assert "shared, to view" in page
    for hidden in ("export", "edit", "share", "train", "threshold", "activate"):
        assert f"/{hidden}" not in page
    assert "Find anomalies with it" not in page
    assert "shared, to view" in viewer.see("/detectors")
    for forbidden in ("share", "delete", "versions/1/activate", "rollback", "export"):
        viewer.see(f"{detector}/{forbidden}", 403)
    person.go(share, whom="everyone", access="use")
    assert "shared, to use" in viewer.see(detector)
    user_id = re.findall(r'name="user_id" value="([\w-]+)"', person.see(share))[0]
    person.go(f"{detector}/unshare", user_id=user_id)
    person.go(f"{detector}/unshare", user_id="")
    viewer.see(detector, 404)


def test_duplicated(person: Any, detector: str) -> None:
    page = person.see(person.go(f"{detector}/duplicate"))
    assert f'value="Copy of {EVIL}"' in page
    assert 'name="parameter-n_trees" type="number" value="31"' in page


def test_deleted_with_what_depends_on_it(person: Any, dataset: str, detector: str) -> None:
    result = person.go("/detections/new", dataset=dataset, detector=detector.rsplit("/", 1)[1])
    person.until_done(result)
    page = person.see(f"{detector}/delete")
    assert "2 trained versions" in page
    assert "the 1 result" in page
    assert "Results depend on it" in person.send(f"{detector}/delete", 409)
    assert "The detector is deleted." in person.see(person.go(f"{detector}/delete", cascade="true"))
    person.see(detector, 404)
    person.see(result, 404)


def test_found_sorted_and_paged(person: Any) -> None:
    for number in range(27):
        person.go("/detectors/new", name=f"Guard {number:02}", algorithm=FOREST)
    person.go("/detectors/new", name="100% <b>Other</b>", algorithm=FOREST)
    page = person.see("/detectors?q=guard&sort=name")
    assert page.index("Guard 00") < page.index("Guard 24")
    assert "Guard 25" not in page
    assert "Other" not in page
    following = re.findall(r'rel="next" href="([^"]+)"', page)[0]
    page = person.see(following)
    assert page.count("Guard 2") == 2
    assert "No such detector" in person.see("/detectors?q=zebra")
    assert person.see("/detectors?q=0%25").count('scope="row"') == 1
    assert "No such detector" in person.see("/detectors?status=trained")
