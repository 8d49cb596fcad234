"""Reasons name the corrupted column, for every algorithm; `benchmarks/faithfulness.py` measures more."""

import sys
from pathlib import Path

import numpy as np
import pytest

from pynomaly.detection.catalogue import CATALOGUE

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from faithfulness import CASES, measure

NAMES = [name for name, info in CATALOGUE.items() if info.available and not info.extra]
PLAIN = list({case.table: case for case in CASES if case.plain}.values())
"""One corruption of each kind of table."""


@pytest.mark.parametrize("name", NAMES)
def test_the_corrupted_column_is_named_first(name):
    pairs = {f"{case.table}, {case.corruption}": measure(case, name, seed=11) for case in PLAIN}
    right, rows = sum(r for _, r in pairs.values()), sum(n for n, _ in pairs.values())
    assert right >= 0.95 * rows, pairs
    for case, (n, named) in pairs.items():
        assert named >= 0.8 * n, case


def test_a_wrong_reason_would_be_seen(monkeypatch):
    from pynomaly.detection.explain import Explainer

    told = Explainer.reasons
    monkeypatch.setattr(
        Explainer,
        "reasons",
        lambda self, frame, encoder, X: told(self, frame, encoder, np.roll(X, 1, axis=1)),
    )
    n, named = measure(PLAIN[0], "local_outlier_factor", seed=11)
    assert named < 0.1 * n
