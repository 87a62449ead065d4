"""What built-in words read in a turn, made alike for a `Run` and for a `Glance`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.expressions import World
from engine.flow import Flow
from engine.flow_set import FlowSet
from engine.session import Frame, Session
from engine.topic import topic_of
from engine.values import Value


def world_of(
    flows: FlowSet,
    session: Session,
    flow: Flow,
    outside: Sequence[Frame],
    lang: str,
    looked: Mapping[str, Value],
    now: int,
) -> World:
    """Return the world of a turn of `session` at `now` (UTC ms).

    `flow` is the running one, `outside` the flows that have run it, the innermost last; `lang` is the
    language now, `looked` holds the answers of the world so far.
    """
    project = flows.project
    return World(  # by place: this is in the way of most turns
        None,
        project.zone,
        session.caller,
        session.called,
        lang,
        session.channel,
        topic_of(flows, flow, outside),
        session.text,
        session.event,
        project.currency,
        project.country,
        looked,
        project.consts,
        now,
    )
