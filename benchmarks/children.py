"""Runs work in forked children that can be killed: a run that hangs or eats the memory ends alone."""

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

_FORK = multiprocessing.get_context("fork")


@dataclass
class Run:
    """One child at work on `task`."""

    task: Any
    process: BaseProcess
    answers: Connection
    deadline: float


def run_all(
    work: Callable[[Any], dict[str, Any]],
    tasks: Iterator[Any],
    jobs: int,
    seconds: float,
    memory_mib: int,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Call `work(task)` in a child each, `jobs` at a time; yields each task with what came of it.

    What came of it is `work`'s answer, or `{"failed": reason}`. Tasks are drawn when a child is free: an
    iterator may leave out what earlier answers made pointless. A caller that stops early kills the children.
    """
    running: list[Run] = []
    left = iter(tasks)
    try:
        while True:
            while len(running) < jobs and (task := next(left, None)) is not None:
                running.append(_start(work, task, seconds, memory_mib))
            if not running:
                return
            wait(
                [run.answers for run in running],
                max(0.0, min(r.deadline for r in running) - time.monotonic()),
            )
            for run in list(running):
                answer = _answer(run, seconds)
                if answer is not None:
                    running.remove(run)
                    yield run.task, answer
    finally:
        for run in running:
            _end(run)


def _start(work: Callable[[Any], dict[str, Any]], task: Any, seconds: float, memory_mib: int) -> Run:
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_be_child, args=(work, task, theirs, memory_mib), daemon=True)
    process.start()
    theirs.close()
    return Run(task, process, ours, time.monotonic() + seconds)


def _be_child(work: Callable[[Any], dict[str, Any]], task: Any, answers: Connection, memory_mib: int) -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mib << 20, memory_mib << 20))
    try:
        answer = work(task)
    except MemoryError:
        answer = {"failed": f"more than {memory_mib:,} MiB of memory"}
    except Exception as error:  # noqa: BLE001 whatever it is goes into the report
        answer = {"failed": f"{type(error).__name__}: {error}"[:200]}
    answers.send(answer)


def _answer(run: Run, seconds: float) -> dict[str, Any] | None:
    """Give what came of a run that has ended or is over its time; None while it goes on."""
    answer: dict[str, Any] | None = None
    if run.answers.poll():
        answer = {"failed": "killed"}
        with suppress(EOFError):
            answer = run.answers.recv()
    elif time.monotonic() >= run.deadline:
        answer = {"failed": f"over {seconds:g} s", "over": seconds}
    if answer is not None:
        _end(run)
    return answer


def _end(run: Run) -> None:
    run.process.kill()
    run.process.join()
    run.answers.close()
