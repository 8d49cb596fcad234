"""The score histogram's geometry."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pynomaly.server.web.histogram import draw

finite = st.floats(-1e6, 1e6, allow_nan=False)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=60), finite, st.floats(1e-3, 1e6), finite)
def test_everything_stays_inside_the_frame(counts: list[int], low: float, width: float, cut: float) -> None:
    edges = [low + width * place for place in range(len(counts) + 1)]
    picture = draw({"edges": edges, "counts": counts}, cut)
    if not any(counts):
        assert picture is None
        return
    assert picture is not None
    assert max(bar.height for bar in picture.bars) == 100
    for bar in picture.bars:
        assert -1e-2 <= bar.x <= bar.x + bar.width <= 100.1
        assert abs(bar.y + bar.height - 100) < 1e-2
        assert (bar.height > 0) == (bar.count > 0)
    assert all(0 <= tick.at <= 100.001 for tick in (*picture.x_ticks, *picture.y_ticks))
    assert picture.cut is None or 0 <= picture.cut <= 100
    json.dumps(picture.json(), allow_nan=False)


def test_bars_above_the_threshold_are_anomalous() -> None:
    picture = draw({"edges": [0.0, 0.25, 0.5, 0.75, 1.0], "counts": [100, 10, 2, 1]}, 0.5)
    assert picture is not None
    assert [bar.anomalous for bar in picture.bars] == [False, False, True, True]
    assert picture.cut == 50
    assert [tick.text for tick in picture.y_ticks] == ["1", "10", "100"]


def test_a_threshold_above_all_scores_is_not_drawn() -> None:
    picture = draw({"edges": [0.0, 1.0], "counts": [5]}, 2.0)
    assert picture is not None
    assert picture.cut is None
    assert not picture.bars[0].anomalous


def test_nothing_to_draw() -> None:
    assert draw(None) is None
    assert draw({"edges": [], "counts": []}) is None
