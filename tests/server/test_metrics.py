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
