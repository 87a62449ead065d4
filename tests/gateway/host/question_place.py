"""A session that is at a question of a flow, made without playing the flow up to it."""

from engine.flow_set import FlowSet
from engine.question import Question
from engine.session import Frame, Session, Waiting


def at(flows: FlowSet, flow: str, number: int, *outside: tuple[str, str]) -> Session:
    """Return a session at question `number` of a flow; `outside` are flows with the flow that each runs."""
    frames = [
        Frame(name, next(pc for pc, step in enumerate(flows.flows[name].program) if runs(step, what)), {})
        for name, what in outside
    ]
    program = flows.flows[flow].program
    asked = sorted((step.place.line, pc) for pc, step in enumerate(program) if isinstance(step, Question))[
        number
    ][1]
    return Session(
        flows.build,
        "voice",
        "79161234567",
        "0890",
        "ru",
        0,
        frames=(*frames, Frame(flow, asked, {})),
        waiting=Waiting.ANSWER,
    )


def runs(step: object, flow: str) -> bool:
    return getattr(step, "verb", "") == "run" and getattr(step, "flow", "") == flow
