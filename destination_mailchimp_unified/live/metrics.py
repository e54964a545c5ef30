"""What GET /metrics shows, in the format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from destination_mailchimp_unified.live.service import Service
from destination_mailchimp_unified.settling.outcomes import KINDS

disable_created_metrics()  # type: ignore[no-untyped-call]

BUCKETS = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
"""Seconds from the request to its answer: a call takes Mailchimp some tenths, and is tried for a quarter of an hour."""


class Metrics:
    """Counts of one server."""

    def __init__(self, service: Service) -> None:
        self.registry = CollectorRegistry()
        self.contacts = Counter("mailchimp_unified_contacts", "Contacts that were settled.", ["outcome"], registry=self.registry)
        self.requests = Counter("mailchimp_unified_requests", "HTTP requests to POST /contacts.", ["status"], registry=self.registry)
        self.seconds = Histogram(
            "mailchimp_unified_answer_seconds", "From a request to its answer.", buckets=BUCKETS, registry=self.registry
        )
        for kind in KINDS:
            self.contacts.labels(kind)
        self.registry.register(_Now(service))


class _Now:
    """What is counted elsewhere, read when it is asked for."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Yield the figures of this moment."""
        traffic = self._service.pipeline.traffic
        yield GaugeMetricFamily("mailchimp_unified_waiting", "Contacts that wait for their outcome.", self._service.feed.waiting)
        yield GaugeMetricFamily("mailchimp_unified_ready", "1 while contacts can be written.", int(self._service.ready))
        yield CounterMetricFamily("mailchimp_unified_mailchimp_requests", "Requests to Mailchimp.", traffic.requests)
        yield CounterMetricFamily("mailchimp_unified_mailchimp_retries", "Requests to Mailchimp that were repeated.", traffic.retries)
