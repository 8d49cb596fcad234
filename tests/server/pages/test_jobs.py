"""The pages of jobs: what runs and waits, what has ended and how, one job, stopping it."""

import re
from typing import Any

import pytest

from pynomaly.server.db import Database
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.models import Job

pytestmark = pytest.mark.any_database

EVIL = "<script>alert(1)</script>"


def test_none_yet(person: Any) -> None:
    page = person.see("/jobs")
    assert "No jobs yet" in page
    assert "Nothing is running or waiting." in page
    assert "http-equiv" not in page


def test_what_runs_comes_first_and_is_cancelled(person: Any, viewer: Any, dataset: str, worker: Any) -> None:
    worker.stop()
    detector = person.go("/detectors/new", name=EVIL, algorithm="isolation_forest")
    person.go(f"{detector}/train", dataset=dataset)
    raw = person.http.get("/jobs").text
    assert EVIL not in raw
    page = person.see("/jobs")
    assert "1 job is under way." in page
    assert page.index("Running and waiting") < page.index("Ended") < page.index("Shop visits")
    assert 'http-equiv="refresh"' in page
    assert f'<a href="{detector}">' in page
    [job] = re.findall(r'data-job="([\w-]+)"', page)
    one = person.see(f"/jobs/{job}")
    assert "Waiting for a free worker" in one
    assert "0 of at most 3" in one
    viewer.see(f"/jobs/{job}", 404)
    assert "No jobs yet" in viewer.see("/jobs")
    assert person.go(f"/jobs/{job}/cancel", next="/jobs?kind=detector.train") == "/jobs?kind=detector.train"
    page = person.see("/jobs")
    assert "Nothing is running or waiting." in page
    assert "cancelled" in page


def test_filters_and_pages(person: Any, dataset: str, database: Database) -> None:
    with database.session() as session:
        owner = session.query(Job).one().owner_id
        for _ in range(30):
            queue.enqueue(session, "detection.run", {}, owner_id=owner, subject_id=None).status = "failed"
    page = person.see("/jobs?status=failed")
    assert page.count('scope="row"') == 25
    assert "Shop visits" not in page
    following = re.findall(r'rel="next" href="([^"]+)"', page)[0]
    assert "status=failed" in following
    page = person.see(following)
    assert page.count('scope="row"') == 5
    assert "First page" in page
    page = person.see("/jobs?kind=dataset.ingest")
    assert page.count('scope="row"') == 1
    assert "Shop visits" in page
    assert "No such jobs" in person.see("/jobs?status=cancelled")
    assert person.see("/jobs?status=nonsense&kind=x").count('scope="row"') == 25


def test_a_failed_job_says_why(person: Any, worker: Any) -> None:
    address = person.upload(b"\x00\x01\x02" * 50, name=EVIL)
    assert "binary data" in person.until_done(address)
    page = person.http.get("/jobs").text
    assert EVIL not in page
    assert "binary data" in page
    job = re.findall(r'href="(/jobs/[\w-]+)"', page)[0]
    page = person.see(job)
    assert "It failed" in page
    assert "binary data" in page
    assert f'href="{address}"' in page


def test_an_administrator_sees_whose_they_are(administrator: Any, person: Any, dataset: str) -> None:
    page = administrator.see("/jobs")
    assert "ada@example.org" in page
    assert "ada@example.org</span></td>" not in person.see("/jobs")
