"""The job queue with a real worker: how soon a job is picked up, small jobs per second, memory when idle."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import descendants, percentile, pss_mib, report
from sqlalchemy import func, select

from pynomaly.server import log
from pynomaly.server.db import Database, load_models
from pynomaly.server.jobs.models import FINISHED, Job
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.queue import enqueue
from pynomaly.server.jobs.supervisor import environment
from pynomaly.server.jobs.tasks import Task
from pynomaly.server.jobs.worker import Worker, stop_on_signals
from pynomaly.server.migrate import upgrade
from pynomaly.server.tasks import TASKS
from pynomaly.server.work import to_load
from pynomaly.settings import Settings

KIND = "echo"


def echo(payload: dict[str, Any], progress: Callable[[float, str], None]) -> dict[str, Any]:
    """Do nothing, in a child: what is left is the queue's own cost."""
    return payload


def work(slots: int) -> None:
    """Run a worker as the server does, with the warm process that it has, for one more kind of job."""
    nothing = Task(KIND, lambda *_: {}, "jobs:echo", lambda *_: None, lambda *_: None)
    forkserver = Forkserver([*to_load(TASKS), "jobs"])
    worker = Worker(Settings(), {**TASKS, KIND: nothing}, forkserver, slots=slots)
    stop_on_signals(worker)
    try:
        worker.run()
    finally:
        forkserver.close()


def main() -> None:
    """Measure on SQLite, or on the empty PostgreSQL database that `--database-url` names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--worker", action="store_true", help="be the worker that is measured")
    arguments = parser.parse_args()
    if arguments.worker:
        log.configure(Settings())
        work(arguments.slots)
        return
    load_models()
    count = 50 if arguments.quick else arguments.jobs
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home), database_url=arguments.database_url)
        upgrade(settings)
        report("jobs", measure(settings, count, arguments.slots))


def measure(settings: Settings, count: int, slots: int) -> list[dict[str, float | str]]:
    """Start a worker and measure everything."""
    database = Database(settings)
    command = [sys.executable, __file__, "--worker", "--slots", str(slots)]
    env = {**os.environ, **environment(settings), "PYNOMALY_LOG_LEVEL": "error"}
    env["PYTHONPATH"] = str(Path(__file__).parent)
    worker = subprocess.Popen(command, env=env)
    try:
        finish(database, [add(database)])
        time.sleep(4)  # the libraries are loaded
        idle = pss_mib([worker.pid, *(process.pid for process in descendants(worker.pid))])
        before = cpu_seconds(worker.pid)
        time.sleep(5)
        busy = (cpu_seconds(worker.pid) - before) / 5
        waits = [pick_up(database) for _ in range(count // 5)]
        rate = count / drain(database, count)
    finally:
        worker.terminate()
        worker.wait()
        database.close()
    return [
        {"what": "worker and warm process, idle", "value": round(idle, 1), "unit": "MiB PSS"},
        {"what": "worker, idle", "value": round(100 * busy, 2), "unit": "% of a CPU"},
        {"what": "pick-up, median", "value": round(1000 * statistics.median(waits), 1), "unit": "ms"},
        {"what": "pick-up, p95", "value": round(1000 * percentile(waits, 0.95), 1), "unit": "ms"},
        {"what": f"jobs through the queue, {slots} slots", "value": round(rate, 1), "unit": "1/s"},
    ]


def add(database: Database) -> str:
    """Enqueue one job."""
    with database.session() as session:
        return enqueue(session, KIND, {}, owner_id=None, subject_id=None).id


def finish(database: Database, ids: list[str]) -> None:
    """Wait until these jobs are finished."""
    query = select(func.count()).where(Job.id.in_(ids), Job.status.in_(FINISHED))
    while True:
        with database.session(write=False) as session:
            if session.scalar(query) == len(ids):
                return
        time.sleep(0.01)


def pick_up(database: Database) -> float:
    """Seconds from the commit of a job to the start of its first attempt."""
    with database.session() as session:
        job = enqueue(session, KIND, {}, owner_id=None, subject_id=None)
    committed = time.time()
    finish(database, [job.id])
    with database.session(write=False) as session:
        started = session.get_one(Job, job.id).started_at
    assert started is not None
    return started.timestamp() - committed


def drain(database: Database, count: int) -> float:
    """Seconds to work off many small jobs that are there at once."""
    with database.session() as session:
        ids = [enqueue(session, KIND, {}, owner_id=None, subject_id=None).id for _ in range(count)]
    began = time.perf_counter()
    finish(database, ids)
    return time.perf_counter() - began


def cpu_seconds(pid: int) -> float:
    """CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
