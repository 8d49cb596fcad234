"""A worker with every feature's tasks: `python -m pynomaly.server.work --slots N [--supervised]`."""

import argparse
import os
import threading
from collections.abc import Mapping

from pynomaly.server import log, production
from pynomaly.server.jobs.processes import Forkserver
from pynomaly.server.jobs.tasks import Task
from pynomaly.server.jobs.worker import Worker, stop_on_signals
from pynomaly.server.tasks import SWEEPS, TASKS, keys_in_use
from pynomaly.settings import Settings

PRELOAD = ("duckdb", "pynomaly.library", "pynomaly.tables", "pynomaly.server.warm:load_kernels")
"""What every job needs, loaded once in the warm process."""


def work(settings: Settings, slots: int | None = None, *, supervised: bool = False) -> None:
    """Run jobs until told to stop by a signal or, when `supervised`, by the end of standard input."""
    production.check(settings)
    forkserver = Forkserver(to_load(TASKS))
    worker = Worker(settings, TASKS, forkserver, slots=slots, keys_in_use=keys_in_use, sweeps=SWEEPS)
    stop_on_signals(worker)
    if supervised:
        threading.Thread(target=_stop_at_end_of_input, args=(worker,), daemon=True).start()
    try:
        worker.run()
    finally:
        forkserver.close()


def to_load(tasks: Mapping[str, Task]) -> list[str]:
    """What the warm process loads: what every job needs, and the modules of the tasks themselves."""
    return [*PRELOAD, *sorted({task.run.partition(":")[0] for task in tasks.values()})]


def _stop_at_end_of_input(worker: Worker) -> None:
    while os.read(0, 4096):  # not through sys.stdin: its lock, held here, would abort the interpreter's exit
        continue
    worker.stop()


def main() -> None:
    """Read the command line, which only `jobs.supervisor` writes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slots", type=int)
    parser.add_argument("--supervised", action="store_true")
    arguments = parser.parse_args()
    settings = Settings()
    log.configure(settings)
    work(settings, arguments.slots, supervised=arguments.supervised)


if __name__ == "__main__":
    main()
