"""The memory that a piece of work needs: buffers unknown to Python count, what was there before does not."""

import sys
import time

import numpy as np
import pytest

from pynomaly import peak

MIB = 2**17  # float64 values in one MiB
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@linux
def test_the_highest_use_is_measured_even_when_it_is_given_back():
    result, seconds, mib = peak.growth(lambda: float(np.ones(60 * MIB).sum()))
    assert result == 60 * MIB
    assert 0 < seconds < 5
    assert 55 <= mib <= 75


@linux
def test_work_that_needs_nothing_after_work_that_needed_much():
    held = np.ones(80 * MIB)
    assert peak.growth(held.sum)[2] < 15


@linux
def test_freed_memory_counts_again_when_it_is_used_again():
    def small_pieces():
        return len([np.ones(MIB // 16) for _ in range(640)])

    first, second = peak.growth(small_pieces)[2], peak.growth(small_pieces)[2]
    assert 35 <= first <= 60
    assert 35 <= second <= 60


def test_seconds_are_those_of_the_work():
    assert 0.05 <= peak.growth(lambda: time.sleep(0.05))[1] < 1


@pytest.mark.parametrize("name", ["_RESET", "_STATUS"])
def test_systems_that_do_not_tell(monkeypatch, tmp_path, name):
    monkeypatch.setattr(peak, name, tmp_path / "no" / "such" / "file")
    result, seconds, mib = peak.growth(lambda: 7)
    assert (result, mib) == (7, None)
    assert seconds >= 0


def test_a_status_without_the_line_we_need(monkeypatch, tmp_path):
    status = tmp_path / "status"
    status.write_text("Name: x\nVmRSS: much\n")
    monkeypatch.setattr(peak, "_STATUS", status)
    assert peak._resident("VmRSS") is None
    assert peak._resident("VmHWM") is None


def test_errors_pass():
    with pytest.raises(ZeroDivisionError):
        peak.growth(lambda: 1 // 0)
