"""Checking passwords never takes more than a few threads, and the queue for them has an end."""

import threading
from collections.abc import Awaitable

import anyio

from pynomaly.errors import Busy
from pynomaly.server.users.pool import PasswordPool


def test_so_many_at_once_and_no_more() -> None:
    release, started = threading.Event(), threading.Semaphore(0)
    running: list[int] = []

    def work(number: int) -> int:
        running.append(number)
        started.release()
        release.wait(20)
        return number

    async def main() -> None:
        pool = PasswordPool(threads=2, waiting=3)
        results: list[int] = []
        refused: list[int] = []

        async def run(awaitable: Awaitable[int]) -> None:
            results.append(await awaitable)

        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(run, pool.run(work, number))
            await anyio.wait_all_tasks_blocked()
            await anyio.to_thread.run_sync(lambda: [started.acquire(timeout=20) for _ in range(2)])
            assert len(running) == 2
            with anyio.move_on_after(2):
                try:
                    await pool.run(work, 5)
                except Busy:
                    refused.append(5)
            release.set()
        assert refused == [5]
        assert sorted(results) == [0, 1, 2, 3, 4]

    anyio.run(main)
