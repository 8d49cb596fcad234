"""Prometheus metrics: one registry per application, so that two in a process (tests) do not mix."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counts what one application does."""

    def __init__(self) -> None:
        """Start from nothing."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        labels = ("method", "route", "status")
        self._requests = Counter(
            "pynomaly_http_requests", "Requests answered.", labels, registry=self.registry
        )
        self._seconds = Histogram(
            "pynomaly_http_request_seconds",
            "Time from the request's first byte to the answer's last.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_progress = Gauge(
            "pynomaly_http_requests_in_progress", "Requests now.", registry=self.registry
        )

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request; `route` is a template such as "/datasets/{id}", never a raw path."""
        method = method if method in METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def watch_jobs(self, count: Callable[[], Mapping[str, int]]) -> None:
        """Show how many jobs are in each status, asked from `count` whenever somebody reads the metrics."""
        self.registry.register(_Jobs(count))

    def text(self) -> bytes:
        """Write all metrics in the Prometheus text format."""
        return generate_latest(self.registry)


class _Jobs:
    """Gauge of jobs by status."""

    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def describe(self) -> Iterator[Metric]:
        """Name the metric without asking the database."""
        yield self._family()

    def collect(self) -> Iterator[Metric]:
        """Ask now."""
        family = self._family()
        for status, number in self._count().items():
            family.add_metric([status], number)
        yield family

    @staticmethod
    def _family() -> GaugeMetricFamily:
        return GaugeMetricFamily(
            "pynomaly_jobs", "Jobs in each status; the queue's depth is 'queued'.", labels=["status"]
        )
