"""A lease is stale when it stands still for its whole length on the watcher's own clock."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pynomaly.server.jobs.lookout import Lookout
from pynomaly.server.jobs.queue import Lease, State

START = datetime(2026, 1, 1, tzinfo=UTC)


def state(hours: float, attempt: int = 1) -> State:
    """A running job whose lease ends at any wall-clock time."""
    return State(Lease("job", attempt, "w"), "kind", START + timedelta(hours=hours), False)


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        """Start at 0."""
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_lease_that_stands_still_is_stale() -> None:
    lookout = Lookout(10, clock := Clock())
    assert lookout.stale([state(0)]) == []
    clock.now = 9.9
    assert lookout.stale([state(0)]) == []
    clock.now = 10
    assert lookout.stale([state(0)]) == [state(0)]


def test_new_attempt_starts_anew() -> None:
    lookout = Lookout(10, clock := Clock())
    lookout.stale([state(0)])
    clock.now = 10
    assert lookout.stale([state(0, attempt=2)]) == []


def test_job_that_was_not_running_in_between_starts_anew() -> None:
    lookout = Lookout(10, clock := Clock())
    lookout.stale([state(0)])
    lookout.stale([])
    clock.now = 10
    assert lookout.stale([state(0)]) == []


@given(st.lists(st.floats(-1e4, 1e4), min_size=2, unique=True))
def test_no_jump_of_wall_clocks_takes_a_job_from_a_living_worker(jumps: list[float]) -> None:
    lookout = Lookout(10, clock := Clock())
    before = None
    for hours in jumps:
        beat = state(hours)
        if before is not None and beat.lease_until == before.lease_until:
            continue  # a difference below a microsecond
        assert lookout.stale([beat]) == []
        before, clock.now = beat, clock.now + 9
