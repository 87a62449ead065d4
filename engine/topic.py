"""The topic of a conversation: what people, queues and statistics are told it is about."""

from __future__ import annotations

from collections.abc import Sequence

from engine.flow import Flow
from engine.flow_set import FlowSet
from engine.session import Frame


def topic_of(flows: FlowSet, flow: Flow, outside: Sequence[Frame]) -> str:
    """Return the topic of the innermost flow that declares one, else the id of the first flow.

    `flow` is the running one, `outside` the flows that have run it, the innermost last.
    """
    if flow.topic is not None:
        return flow.topic
    for frame in reversed(outside):
        topic = flows.flows[frame.flow].topic
        if topic is not None:
            return topic
    return outside[0].flow if outside else flow.id
