"""The gateway's counters as Prometheus metrics, collected when asked: a turn only adds to plain counters."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.web.watched import Watched

FAMILIES = {
    "backend": ("gudok_backend_calls", "Calls of back-end operations by outcome", ("operation", "outcome")),
    "settle": ("gudok_settle_attempts", "Attempts to clear up unknown orders", ("operation", "outcome")),
    "ended": ("gudok_sessions_ended", "Sessions that ended, by channel and reason", ("channel", "reason")),
    "refused": ("gudok_refusals", "Refusals of flows by flow and line", ("flow", "line")),
    "note": ("gudok_flow_notes", "What flows noted", ("event",)),
    "events": ("gudok_events", "Background flows started by event", ("event",)),
    "ussd_unshown": ("gudok_ussd_unshown", "Screens that did not reach the subscriber", ("reason",)),
}
"""Counters whose names have labels: prefix -> (metric, help, labels)."""


class GatewayMetrics(Collector):
    """Reads one gateway's counters. No label holds an MSISDN or free text."""

    def __init__(self, gateway: Watched) -> None:
        self._gateway = gateway

    def describe(self) -> list[Metric]:
        """Say that metrics are only known when collected."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield everything there is to know."""
        gateway = self._gateway
        yield from self._counters()
        yield gauge("gudok_sessions", "Live sessions", len(gateway.host.conversations))
        yield gauge(
            "gudok_sessions_waiting", "Sessions waiting for a back end", gateway.host.waiting_for_backend()
        )
        yield gauge("gudok_outbox_open", "Messages that are not final", len(gateway.outbox))
        yield gauge("gudok_orders_kept", "Orders that may still matter", len(gateway.orders))
        yield gauge("gudok_store_commits", "Commits since the start", gateway.store.commits)
        yield gauge("gudok_store_writable", "1 while the store can be written", int(not gateway.store.full))
        yield from self._links()
        breakers = GaugeMetricFamily("gudok_backend_open", "1 while a breaker is open", labels=["backend"])
        for name, state in gateway.backends.states().items():
            breakers.add_metric([name], int(state == "open"))
        yield breakers

    def _counters(self) -> Iterator[Metric]:
        families: dict[str, CounterMetricFamily] = {}
        plain = CounterMetricFamily("gudok_events_counted", "Things counted by the host", labels=["what"])
        for name, value in sorted(self._gateway.host.counters.items()):
            prefix, _, rest = name.partition(".")
            family = FAMILIES.get(prefix)
            if family is None or not rest:
                plain.add_metric([name], value)
                continue
            metric, text, labels = family
            found = families.setdefault(prefix, CounterMetricFamily(metric, text, labels=labels))
            *head, last = rest.rsplit(".", len(labels) - 1) if len(labels) > 1 else [rest]
            found.add_metric([*head, last], value)
        yield plain
        yield from families.values()

    def _links(self) -> Iterator[Metric]:
        bound = GaugeMetricFamily("gudok_link_bound", "1 while messages can leave", labels=["link"])
        queue = GaugeMetricFamily("gudok_link_queue", "Messages that wait for a place", labels=["link"])
        pdus = CounterMetricFamily("gudok_link", "What the link counted", labels=["link", "what"])
        for name, link in self._gateway.links.items():
            state = link.state()
            bound.add_metric([name], int(state["bound"]))
            queue.add_metric([name], state["queue"])
            for what, value in sorted(state["counters"].items()):
                pdus.add_metric([name, what], value)
        yield bound
        yield queue
        yield pdus


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    """Return a gauge without labels."""
    return GaugeMetricFamily(name, text, value=value)
