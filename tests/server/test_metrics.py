"""Metrics count by route template, and two applications in one process do not mix."""

from pynomaly.server.metrics import Metrics


def test_requests_are_counted() -> None:
    metrics, other = Metrics(), Metrics()
    for seconds in (0.001, 0.2, 99):
        metrics.count_request("GET", "/datasets/{id}", 200, seconds)
    metrics.count_request("\x1b[31m", "unmatched", 404, 0.1)
    text = metrics.text().decode()
    assert 'pynomaly_http_requests_total{method="GET",route="/datasets/{id}",status="200"} 3.0' in text
    assert 'pynomaly_http_request_seconds_bucket{le="0.25",method="GET",route="/datasets/{id}"} 2.0' in text
    assert 'method="other",route="unmatched",status="404"' in text
    assert "pynomaly_http_requests_total{" not in other.text().decode()


def test_jobs_are_asked_for_when_somebody_looks() -> None:
    metrics = Metrics()
    waiting = {"queued": 2}
    metrics.watch_jobs(lambda: waiting)
    assert 'pynomaly_jobs{status="queued"} 2.0' in metrics.text().decode()
    waiting["queued"] = 5
    assert 'pynomaly_jobs{status="queued"} 5.0' in metrics.text().decode()


def test_traffic_is_summed_up_for_people() -> None:
    metrics = Metrics()
    assert metrics.traffic().p50 is None
    for _ in range(18):
        metrics.count_request("GET", "/datasets", 200, 0.02)
    metrics.count_request("GET", "/datasets/{id}", 500, 0.9)
    metrics.count_request("GET", "/datasets/{id}", 200, 99)
    metrics.count_request("GET", "/static", 200, 0.001)
    found = metrics.traffic()
    assert (found.requests, found.errors, found.in_progress) == (20, 1, 0)
    assert found.p50 is not None
    assert 0.01 < found.p50 < 0.025
    assert found.p95 is not None
    assert 0.5 < found.p95 <= 1
    assert 0 < found.seconds < 60
    assert found.per_second > 0
