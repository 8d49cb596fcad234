"""What a kind of job does: the contract between the queue, which knows no feature, and the features."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from pynomaly.server.jobs.models import Job
from pynomaly.server.storage import LocalStorage
from pynomaly.settings import Settings

Progress = Callable[[float, str], None]
"""Tells how much is done (0 to 1) and what is being done."""


@dataclass(frozen=True)
class Context:
    """What a task's functions may use.

    `storage.temp()` names files in the attempt's own folder: whatever `finish` does not adopt is deleted when
    the attempt ends, however it ends.
    """

    settings: Settings
    storage: LocalStorage


@dataclass(frozen=True)
class Task:
    """One kind of job.

    - `prepare` (short transaction) looks up what the work needs and returns the child's payload (JSON); a
      PynomalyError fails the job with its code.
    - `run`, as `"package.module:function"`, is called in a child process as `run(payload, progress)` with a
      `Progress`, and returns JSON. It has no database. A PynomalyError fails the job with its code.
    - `finish(session, job, result, context)` records the effects in the transaction that completes the job.
    - `fail(session, job, code, detail, context)` records a failure, or a cancellation (code "cancelled"), in
      the transaction that ends the job.

    `run` may happen more than once; `finish` or `fail` is committed exactly once.
    """

    kind: str
    prepare: Callable[[Session, Job, Context], dict[str, Any]]
    run: str
    finish: Callable[[Session, Job, dict[str, Any], Context], None]
    fail: Callable[[Session, Job, str, str, Context], None]
