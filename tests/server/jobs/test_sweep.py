"""What dead processes left is cleared away; what living ones use is not."""

import os
from typing import Any

from pynomaly.server.db import Database
from pynomaly.server.jobs import queue
from pynomaly.server.jobs.sweep import sweep
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings


def test_sweep(jobs: Any, database: Database, settings: Settings) -> None:
    storage = LocalStorage(settings.home)
    job_id = jobs.add("echo")
    with database.session() as session:
        queue.claim(session, "w", 15, ["echo"])
    for name in (f"{job_id}.1", f"{job_id}.0", "no such job.1"):
        storage.for_attempt(name).temp().write_text("x")
    for key in ("used", "orphan"):
        storage.temp()
        draft = storage.temp()
        draft.write_text("x")
        storage.adopt(draft, key)
        os.utime(storage.path(key), (0, 0))
    sweep(database, storage, lambda _: {"used"})
    assert storage.attempt_names() == {f"{job_id}.1"}
    assert storage.path("used").exists()
    assert not storage.path("orphan").exists()


def test_blobs_stay_when_nobody_knows_which_are_in_use(database: Database, settings: Settings) -> None:
    storage = LocalStorage(settings.home)
    draft = storage.temp()
    draft.write_text("x")
    storage.adopt(draft, "blob")
    os.utime(storage.path("blob"), (0, 0))
    sweep(database, storage, None)
    assert storage.path("blob").exists()
