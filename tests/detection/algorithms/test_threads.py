"""Row blocks on threads."""

import threading

import pytest

from pynomaly.detection.algorithms.threads import limit_threads, run_blocks, thread_count
from pynomaly.errors import UsageError


@pytest.fixture(autouse=True)
def unlimited():
    yield
    limit_threads(None)


@pytest.mark.parametrize("threads", [1, 3])
def test_every_item_is_done_once_and_progress_grows(threads):
    limit_threads(threads)
    assert thread_count() == threads
    seen, shares = [], []
    run_blocks(lambda a, b: seen.extend(range(a, b)), 1003, 100, shares.append, 0.5)
    assert sorted(seen) == list(range(1003))
    assert shares == sorted(shares)
    assert shares[0] > 0.5
    assert shares[-1] == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_without_progress_and_without_items(threads):
    limit_threads(threads)
    seen = []
    run_blocks(lambda a, b: seen.append((a, b)), 0, 10)
    assert seen == []
    run_blocks(lambda a, b: seen.append((a, b)), 20, 10)
    assert sorted(seen) == [(0, 10), (10, 20)]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_first_error_is_raised(threads):
    limit_threads(threads)
    done = threading.Event()

    def work(begin, end):
        if begin == 0:
            raise ValueError("broken")
        done.set()

    with pytest.raises(ValueError, match="broken"):
        run_blocks(work, 50, 10)


def test_at_least_one_thread():
    assert thread_count() >= 1
    with pytest.raises(UsageError):
        limit_threads(0)
