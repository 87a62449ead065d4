"""How one flow leads to another: it runs it, asks it about a talk, or starts it later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engine.flow import Step
from engine.steps.queue import Queue
from engine.steps.run_ import Run
from engine.steps.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Lead:
    """A flow that a step leads to, and the channel it then runs in.

    `runs` tells that the flow comes back to the step; otherwise a session begins with it.
    """

    flow: str
    channel: str
    runs: bool = True


def leads(step: Step, channel: str) -> Iterator[Lead]:
    """Return where a step leads in a channel. A survey is asked by SMS where the caller has hung up."""
    match step:
        case Run(flow=flow):
            yield Lead(flow, channel)
        case Schedule(flow=flow, over=over):
            yield Lead(flow, over, runs=False)
        case Queue(survey=survey) if survey:
            if channel in Queue.channels:
                yield Lead(survey, channel)
            yield Lead(survey, "sms", runs=False)
