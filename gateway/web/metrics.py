"""The gateway's counters as Prometheus metrics, collected when asked: a turn only adds to plain counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.speech.speaker import SOUNDS
from gateway.web.watched import Watched

FAMILIES = {
    "backend": ("gudok_backend_calls", "Calls of back-end operations by outcome", ("operation", "outcome")),
    "settle": ("gudok_settle_attempts", "Attempts to clear up unknown orders", ("operation", "outcome")),
    "ended": ("gudok_sessions_ended", "Sessions that ended, by channel and reason", ("channel", "reason")),
    "refused": ("gudok_refusals", "Refusals of flows by flow and line", ("flow", "line")),
    "note": ("gudok_flow_notes", "What flows noted", ("event",)),
    "events": ("gudok_events", "Background flows started by event", ("event",)),
    "events_in": ("gudok_events_in", "Events from outside by what became of them", ("event", "what")),
    "events_refused": ("gudok_events_refused", "Events from outside that were not taken", ("why",)),
    "switched": ("gudok_starts_refused", "Starts that a switch of staff has refused", ("switch",)),
    "switch_orders": ("gudok_switch_orders", "Orders of staff", ("order",)),
    "details": ("gudok_sessions_recorded", "Records of sessions by channel", ("channel",)),
    "self_served": ("gudok_self_served", "Sessions that needed nobody, by channel", ("channel",)),
    "self_served_ms": ("gudok_self_served_ms", "Milliseconds that these took in all", ("channel",)),
    "tasks_opened": ("gudok_tasks_opened", "Tasks opened by kind", ("kind",)),
    "tasks_done": ("gudok_tasks_done", "Tasks done by kind", ("kind",)),
    "starts": ("gudok_starts", "Scheduled starts by what came of them", ("outcome",)),
    "outbound": ("gudok_outbound", "Outbound plans by what came of them", ("outcome",)),
    "queue_refused": ("gudok_queue_refusals", "Subscribers a queue did not take, by reason", ("reason",)),
    "calls": ("gudok_calls", "Calls by what became of them", ("what",)),
    "calls_out": ("gudok_calls_out", "Calls of ours by what came of dialling", ("outcome",)),
    "voice_reach": ("gudok_voice_reach", "Whether a call of ours has reached its subscriber", ("reach",)),
    "agi": ("gudok_agi", "Connections of Asterisk by how they went", ("what",)),
    "queue_left": (
        "gudok_queue_left",
        "Callers back from a queue, by its status",
        ("queue", "outcome"),
    ),
    "waits": ("gudok_queue_waits", "Waits that have ended, as Asterisk's events say", ("queue", "end")),
    "waits_ms": ("gudok_queue_waits_ms", "Milliseconds of these waits in all", ("queue", "end")),
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
        yield gauge(
            "gudok_outbox_unasked", "Unasked messages that wait for their turn", len(gateway.outbox.unasked)
        )
        yield gauge("gudok_orders_kept", "Orders that may still matter", len(gateway.orders))
        yield gauge("gudok_store_commits", "Commits since the start", gateway.store.commits)
        yield gauge("gudok_store_writable", "1 while the store can be written", int(not gateway.store.full))
        yield gauge("gudok_calls_now", "Calls that talk to flows", len(gateway.voice))
        yield gauge("gudok_calls_away", "Callers in queues of calls, or connected", len(gateway.voice.aways))
        yield gauge("gudok_callbacks_placed", "Callbacks that stand in queues of calls", len(gateway.places))
        yield from self._speech()
        yield from self._queues()
        yield from self._tasks()
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

    def _speech(self) -> Iterator[Metric]:
        speaker = self._gateway.speaker
        if speaker is None:
            return
        sounds = CounterMetricFamily("gudok_sounds", "Sounds of calls, where they came from", labels=["what"])
        for what in SOUNDS:
            sounds.add_metric([what], speaker.counts[what])
        yield sounds

    def _tasks(self) -> Iterator[Metric]:
        tasks = self._gateway.people.tasks.open.values()
        waiting = GaugeMetricFamily("gudok_tasks_open", "Tasks of people by queue", labels=["queue"])
        for queue, count in sorted(Counter(row.queue for row in tasks).items()):
            waiting.add_metric([queue], count)
        yield waiting
        yield gauge("gudok_tasks_overdue", "Tasks whose time is over", sum(row.overdue for row in tasks))

    def _queues(self) -> Iterator[Metric]:
        asterisks = self._gateway.asterisks
        ready = GaugeMetricFamily("gudok_asterisk_ready", "1 while it can be spoken to", labels=["asterisk"])
        for name, up in asterisks.ready.items():
            ready.add_metric([name], int(up))
        yield ready
        people = GaugeMetricFamily("gudok_queue_now", "Queues of calls", labels=["queue", "what"])
        for queue, counts in asterisks.state().items():
            for what, count in zip(("waiting", "staffed", "free"), counts, strict=True):
                people.add_metric([queue, what], count)
        yield people

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
