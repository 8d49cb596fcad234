"""`pynomaly worker`: runs jobs until it is told to stop."""

import os
import signal
import subprocess
import sys

from pynomaly.server.db import Database
from pynomaly.server.jobs.models import Job
from pynomaly.server.jobs.queue import enqueue
from pynomaly.server.jobs.supervisor import environment
from pynomaly.settings import Settings


def test_runs_jobs_on_a_new_database(empty_settings: Settings) -> None:
    env = {**os.environ, **environment(empty_settings), "PYNOMALY_LOG_FORMAT": "json"}
    command = [sys.executable, "-c", "from pynomaly.cli.main import run; run()", "worker", "--slots", "1"]
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as worker:
        assert worker.stderr is not None
        assert any("worker_started" in line for line in worker.stderr)
        database = Database(empty_settings)
        with database.session() as session:
            job_id = enqueue(session, "dataset.ingest", {}, owner_id=None, subject_id=None).id
        line = next(line for line in worker.stderr if "job_ended" in line)
        assert job_id in line
        worker.send_signal(signal.SIGTERM)
        assert any("worker_stopped" in line for line in worker.stderr)
        assert worker.wait(20) == 0
    with database.session(write=False) as session:
        assert session.get_one(Job, job_id).status == "failed"
    database.close()


def test_zero_slots_are_refused() -> None:
    command = [sys.executable, "-c", "from pynomaly.cli.main import run; run()", "worker", "--slots", "0"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
