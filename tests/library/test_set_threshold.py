"""The threshold from the library: four ways, moved after training, and told when nothing stands out."""

import numpy as np
import pytest

import pynomaly
from pynomaly.errors import BadParameter, NotFitted

RNG = np.random.default_rng(0)
CLEAN = RNG.normal(size=(400, 3))
PLANTED = np.concatenate([CLEAN, RNG.normal(size=(12, 3)) + 9])
NEW = np.concatenate([RNG.normal(size=(190, 3)), RNG.normal(size=(10, 3)) + 9])


@pytest.fixture(scope="module")
def trained():
    return pynomaly.Detector("elliptic_envelope").fit(PLANTED)


def moved(detector, **ways):
    copy = pynomaly.Detector.from_bytes(detector.to_bytes())
    return copy.set_threshold(**ways)


@pytest.mark.parametrize(
    ("ways", "flagged"),
    [
        ({}, 12),
        ({"contamination": "auto"}, 12),
        ({"contamination": 0.25}, 103),
        ({"max_alerts": 5}, 5),
        ({"max_alerts": 10_000}, 412),
        ({"quantile": 0.9}, 42),
        ({"fdr": 0.1}, 12),
    ],
)
def test_each_way_flags_what_it_says_whether_chosen_before_or_after_training(trained, ways, flagged):
    later = moved(trained, **ways)
    before = pynomaly.detect(PLANTED, "elliptic_envelope", **ways)
    after = later.detect(PLANTED)
    assert before.n_anomalies == after.n_anomalies == pytest.approx(flagged, abs=1)
    assert before.threshold == after.threshold == later.threshold
    assert (before.is_anomaly == (before.scores > before.threshold)).all()
    assert (
        before.estimated_contamination == after.estimated_contamination == pytest.approx(12 / 412, abs=0.003)
    )
    assert before.to_json()["estimated_contamination"] == before.estimated_contamination


def test_fdr_cuts_each_new_table_by_its_own_p_values():
    detector = pynomaly.Detector("elliptic_envelope", fdr=0.2).fit(CLEAN)
    found = detector.detect(NEW)
    assert found.is_anomaly[190:].all()
    assert found.n_anomalies <= 16
    assert (found.is_anomaly == (found.scores > found.threshold)).all()
    assert found.threshold != detector.threshold  # that one is for single rows
    quiet = detector.detect(NEW[:150])
    assert quiet.n_anomalies == 0
    assert quiet.threshold >= detector.threshold


def test_fdr_knows_its_training_table_again_in_any_order_and_after_a_round_trip(trained):
    detector = moved(trained, fdr=0.1)
    assert detector.detect(PLANTED[::-1]).threshold == detector.threshold
    assert detector.detect(PLANTED[:-1]).threshold != detector.threshold


def test_on_the_training_table_fdr_says_that_nothing_stands_out():
    result = pynomaly.detect(CLEAN, "knn", fdr=0.01)
    assert (result.n_anomalies, result.notes) == (
        0,
        ("No strong anomalies: no row stands out from the rest.",),
    )


def test_too_few_training_rows_for_fdr_are_named():
    detector = pynomaly.Detector("knn", fdr=0.05).fit(CLEAN[:50])
    result = detector.detect(NEW[185:195])
    assert result.n_anomalies == 5
    result = detector.detect(np.tile(NEW[:195], (3, 1)))
    assert result.n_anomalies == 0
    assert result.notes == (
        "No row is flagged: with 50 training rows and 585 to judge, fdr=0.05 takes at least 230 rows "
        "that all score above the training rows.",
    )
    result = detector.set_threshold(fdr=1e-3).detect(NEW[185:195])
    assert result.notes == (
        "No row is flagged: with 50 training rows and 10 to judge, fdr=0.001 can flag none.",
    )


def test_a_plain_sentence_when_nothing_stands_out():
    result = pynomaly.detect(CLEAN, "knn")
    assert (result.n_anomalies, result.estimated_contamination) == (0, 0.0)
    assert result.notes == ("No strong anomalies: no row stands out from the rest.",)
    result = pynomaly.detect(CLEAN, "knn", max_alerts=3)
    assert result.n_anomalies == 3
    assert result.notes[0].startswith("No strong anomalies: the flagged rows score highest")
    assert pynomaly.detect(PLANTED, "knn", max_alerts=3).notes == ()


@pytest.mark.parametrize(
    "algorithm", ["auto", "isolation_forest", "hbos", "ecod", "knn", "local_outlier_factor"]
)
def test_rows_far_out_are_found_by_auto_whatever_the_algorithm(algorithm):
    """Scores of trees and histograms level off; what stands out is seen in the table as well."""
    X = np.random.default_rng(1).normal(size=(600, 4))
    assert pynomaly.detect(X, algorithm).n_anomalies <= 3
    X[:5] = np.arange(12, 17)[:, None]
    found = pynomaly.detect(X, algorithm)
    assert 5 <= found.n_anomalies <= 8
    assert found.is_anomaly[:5].all()
    assert pynomaly.detect(X, algorithm, fdr=0.1).is_anomaly[:5].all()


def test_a_score_is_a_threshold_too(trained):
    copy = moved(trained, value=3.5)
    assert copy.threshold == 3.5
    assert pynomaly.Detector.from_bytes(copy.to_bytes()).threshold == 3.5
    assert copy.contamination == "auto"  # what the next training goes by
    assert copy.fit(CLEAN).threshold != 3.5


def test_the_way_is_kept_for_the_next_training(trained):
    copy = moved(trained, max_alerts=4)
    assert copy.contamination is None
    assert copy.fit(PLANTED[:300]).detect(PLANTED[:300]).n_anomalies == 4


def test_what_makes_no_sense_is_refused(trained):
    with pytest.raises(NotFitted):
        pynomaly.Detector().set_threshold(fdr=0.1)
    with pytest.raises(BadParameter, match="not max_alerts and fdr together"):
        pynomaly.Detector(fdr=0.1, max_alerts=2)
    with pytest.raises(BadParameter, match="not contamination and quantile together"):
        pynomaly.detect(CLEAN, contamination="auto", quantile=0.9)
    with pytest.raises(BadParameter, match="not both"):
        moved(trained, value=1.0, fdr=0.1)
    with pytest.raises(BadParameter, match="finite number"):
        moved(trained, value=float("inf"))
    with pytest.raises(BadParameter, match="Parameter max_alerts"):
        moved(trained, max_alerts=0)


def test_many_rows_keep_a_compressed_calibration():
    X = np.random.default_rng(0).normal(size=(120_000, 1))
    X[:500] = 30
    detector = pynomaly.Detector("robust_z", max_alerts=1000).fit(X)
    loaded = pynomaly.Detector.from_bytes(detector.to_bytes())
    assert (loaded.score(X) > loaded.threshold).sum() == 1000
    share = loaded.estimated_contamination
    assert share == detector.estimated_contamination
    assert 0.9 * 500 <= share * 120_000 <= 1.1 * 500 / 0.8  # of a sample of 20,000; a fifth are false alarms
    assert len(loaded.to_bytes()) < 3_000_000
