"""Row blocks on threads."""

import threading

import numpy as np  # noqa: F401 - its linear algebra is loaded
import pytest
import threadpoolctl

from pynomaly.detection.algorithms import threads as module
from pynomaly.detection.algorithms.threads import (
    available_cpus,
    few_blas_threads,
    limit_threads,
    map_columns,
    run_blocks,
    thread_count,
)
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


def test_parallel_work_starts_no_more_threads():
    limit_threads(3)
    counts = []
    run_blocks(lambda a, b: counts.append(thread_count()), 30, 10)
    counts += map_columns(lambda _: thread_count(), range(3), 100_000)
    assert counts == [1] * 6
    assert thread_count() == 3


@pytest.mark.parametrize(("quota", "most"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", None)])
def test_a_containers_quota_is_kept(monkeypatch, tmp_path, quota, most):
    (tmp_path / "cpu.max").write_text(quota + "\n")
    try:
        available_cpus.cache_clear()
        monkeypatch.setattr(module, "QUOTA", tmp_path / "none")
        unlimited = available_cpus()
        available_cpus.cache_clear()
        monkeypatch.setattr(module, "QUOTA", tmp_path / "cpu.max")
        assert available_cpus() == (most or unlimited)
    finally:
        available_cpus.cache_clear()


def blas_threads():
    return {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}


def test_linear_algebra_of_few_columns_uses_one_thread():
    before = blas_threads()
    with few_blas_threads(4):
        assert blas_threads() == {1}
        with few_blas_threads(4):
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == before


def test_another_thread_leaves_the_limits_alone():
    before, seen = blas_threads(), []

    def other():
        with few_blas_threads(4):
            seen.append(blas_threads())

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [before]
    assert blas_threads() == before


def test_linear_algebra_of_many_columns_keeps_to_the_cpu_limit(monkeypatch):
    before = blas_threads()
    limit_threads(3)
    try:
        with few_blas_threads(1000):
            assert blas_threads() == {3}
    finally:
        limit_threads(None)
    assert blas_threads() == before
