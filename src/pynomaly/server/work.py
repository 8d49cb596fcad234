"""A worker with every feature's tasks: `python -m pynomaly.server.work --slots N [--supervised]`."""

import argparse
import sys
import threading

from pynomaly.server import log
from pynomaly.server.jobs.worker import Worker, stop_on_signals
from pynomaly.server.tasks import TASKS, keys_in_use
from pynomaly.settings import Settings

PRELOAD = ("duckdb", "pynomaly.library", "pynomaly.tables")
"""What every job needs, imported once in the warm process."""


def work(settings: Settings, slots: int | None = None, *, supervised: bool = False) -> None:
    """Run jobs until told to stop by a signal or, when `supervised`, by the end of standard input."""
    worker = Worker(settings, TASKS, slots=slots, preload=PRELOAD, keys_in_use=keys_in_use)
    stop_on_signals(worker)
    if supervised:
        threading.Thread(target=_stop_at_end_of_input, args=(worker,), daemon=True).start()
    worker.run()


def _stop_at_end_of_input(worker: Worker) -> None:
    while sys.stdin.buffer.read(4096):
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
