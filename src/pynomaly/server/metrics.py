"""Prometheus metrics: one registry per application, so that two in a process (tests) do not mix."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.samples import Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


UNCOUNTED = ("/static", "unmatched")
"""Routes that say nothing of how quick the application is."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one process has answered since it started, files and unknown addresses left out."""

    seconds: float
    """Since when."""
    requests: int
    errors: int
    """Answers with a status of 500 or more."""
    in_progress: int
    p50: float | None
    p95: float | None
    """Seconds below which this share of the answers was given, to about a bucket; None: there were none."""

    @property
    def per_second(self) -> float:
        """Requests in a second, on average."""
        return self.requests / self.seconds if self.seconds > 0 else 0.0


class Metrics:
    """Counts what one application does."""

    def __init__(self) -> None:
        """Start from nothing."""
        self._started = time.monotonic()
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

    def traffic(self) -> Traffic:
        """Sum up for people what Prometheus is told by route."""
        buckets: dict[float, float] = {}
        for sample in self._samples(self._seconds, "_bucket"):
            limit = float(sample.labels["le"])
            buckets[limit] = buckets.get(limit, 0.0) + sample.value
        answers = [
            (sample.labels["status"], sample.value) for sample in self._samples(self._requests, "_total")
        ]
        return Traffic(
            seconds=time.monotonic() - self._started,
            requests=int(sum(count for _status, count in answers)),
            errors=int(sum(count for status, count in answers if status >= "500")),
            in_progress=int(next(iter(self.in_progress.collect())).samples[0].value),
            p50=quantile(0.5, buckets),
            p95=quantile(0.95, buckets),
        )

    def _samples(self, metric: Counter | Histogram, suffix: str) -> Iterator[Sample]:
        for family in metric.collect():
            for sample in family.samples:
                if sample.name.endswith(suffix) and sample.labels["route"] not in UNCOUNTED:
                    yield sample

    def text(self) -> bytes:
        """Write all metrics in the Prometheus text format."""
        return generate_latest(self.registry)


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """Estimate a quantile from counts of values up to each limit, as Prometheus does.

    >>> quantile(0.5, {0.1: 2.0, 0.2: 4.0, math.inf: 4.0}), quantile(0.5, {})
    (0.1, None)
    """
    total = buckets.get(math.inf, 0.0)
    if not total:
        return None
    below, low = 0.0, 0.0
    for limit, count in sorted(buckets.items()):
        if count >= share * total:
            if math.isinf(limit):
                return low
            return low + (limit - low) * (share * total - below) / (count - below)
        below, low = count, limit
    return low


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
