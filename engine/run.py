"""The working state of one turn: what the steps of a flow act on between two waits.

A `Run` is made from a stored session, changed by steps, and turned into the next session once. It keeps the
rules of control flow (flow-language 2.1): leaving a flow, `back`, `main`, `operator`, errors, the step
budget. It does not know which inputs there are; that is `engine.machine`. Below it are `engine.view` (what
the flow knows) and `engine.stage` (what the subscriber sees).
"""

from __future__ import annotations

from engine.expressions import ExpressionFailed
from engine.flow import STOP, Flow
from engine.limits import ERROR_STEPS, HISTORY, STACK_DEPTH
from engine.phrase import phrases
from engine.prompts import fits
from engine.session import Frame, Session, Waiting
from engine.values import Value
from engine.view import View
from engine.wording import Wording

RESUME = -1
"""Key in `Frame.counters`: the step after the one whose error block is running."""

AGAIN = -2
"""Key in `Frame.counters`: the question that `again` repeats is being entered."""

GONE = -2
"""What a step returns when the subscriber has left while people were talked to."""

_ANSWER, _ENDED = Waiting.ANSWER, Waiting.ENDED

NEW, SAME = 1, 2
"""Values of `asking`: a question is being asked for the first time, or once more by `again`."""


class Run(View):
    """One turn in the making; `trace`, if given, gets (flow id, step number, branch) for coverage."""

    __slots__ = ()

    def go(self, pc: int) -> None:
        """Run steps from `pc` to the next wait."""
        trace = self.trace
        while pc >= 0:
            try:
                while pc >= 0:
                    self.pc = pc
                    self.steps = steps = self.steps + 1
                    if steps > self.budget:
                        pc = self.exhausted()
                        continue
                    if trace is not None:
                        trace.append((self.flow.id, pc, ""))
                    questions = self.flow.questions
                    if questions and pc in questions and self.look(questions[pc]):
                        return
                    pc = self.program[pc].run(self)
            except ExpressionFailed as failure:
                pc = self.fail(failure.message)

    def call_flow(self, flow: Flow, arguments: dict[str, Value]) -> int:
        """Run another flow; the present one goes on after it. Returns the step to go on with."""
        if len(self.stack) + 2 > STACK_DEPTH:
            return self.fail(f"more than {STACK_DEPTH} flows run one inside the other", limit=True)
        self.stack.append(self.frame())
        return self.start(flow, arguments)

    def leave(self, reason: str, value: Value = None) -> int:
        """Leave the running flow: go on after the `run` of the flow outside, or end the session."""
        if reason != "left" or not self.reason:
            self.because(reason)
        if not self.stack:
            return self.finish()
        self.enter(self.stack.pop())
        return self.program[self.pc].returned(self, value)

    def because(self, reason: str) -> None:
        """Note why the session will end; an error or a limit is not covered up by what follows it."""
        if self.reason not in ("failed", "limit", "gone"):
            self.reason = reason

    def quit(self, reason: str) -> int:
        """Leave all flows and end the session."""
        self.because(reason)
        self.stack = []
        return self.finish()

    def step_back(self) -> int:
        """Go to the question before the present one (`back`); with nothing to go back to: `main`."""
        if not self.history:
            return self.to_main()
        past = self.history[-1]
        self.history = self.history[:-1]
        self.asked = ()
        return self.ask_anew(past)

    def to_main(self) -> int:
        """Go to the first question of the first flow (`main`); without one the first flow begins anew."""
        self.cross()
        if self.first:
            return self.ask_anew(self.first)
        if self.stack:
            self.enter(self.stack[0])
            self.stack = []
        return self.flow.entry

    def ask_anew(self, stack: tuple[Frame, ...]) -> int:
        """Enter a question asked before as a fresh visit of it; nothing of the present one is said."""
        self.said = ()
        self.drop_ahead()
        return self.restore(stack)

    def drop_ahead(self) -> None:
        """Keys dialled ahead are void: what they were meant for is not asked any more."""
        self.ahead = self.by_ahead = ()

    def cross(self) -> None:
        """Something outside has changed, or the past is void: one never steps back over here."""
        self.history = ()
        self.asked = ()

    def wait_for(self, waiting: Waiting, deadline: int | None = None) -> int:
        """Stop until it has come, or the deadline (UTC ms); without one the host keeps the time.

        What was looked up is old by then.
        """
        self.waiting = waiting
        self.deadline = deadline
        self.forget_looked()
        return STOP

    def to_operator(self) -> int:
        """Leave all flows for the nearest `operator:` block; where there is none, for the error text."""
        frames = [*self.stack, self.frame()]
        self.stack = []
        for frame in reversed(frames):
            block = self.flows.flows[frame.flow].operator
            if block is not None:
                self.enter(frame)
                return block
        if self.flow.project_operator is not None:
            return self.flow.project_operator
        self.note("no_operator")
        self.reason = "failed"
        return self.error_block(self.flow.quit)

    def end_with(self, wording: Wording) -> int:
        """Say a text and leave the flow (`end`)."""
        form = wording.forms.get((self.channel, self.lang))
        if form is not None:
            constant = form.constant
            text = form.render(self) if constant is None else constant
            budget = self.capabilities.pages
            if (
                # The common end: the only flow is left, the text is the screen, and nothing else is owed.
                budget is not None
                and type(text) is str
                and text
                and not (self.stack or self.said or self.reason or self.charged or self.detached)
                and (text in self.flows.fitting if constant is not None else fits(text, budget))
            ):
                self.reason = "end"
                self.constant = constant is not None
                return self.close(text)
            self.say(text, constant=constant is not None)
        return self.leave("end")

    # Faults

    def hangup_block(self) -> tuple[Frame, ...]:
        """Return the innermost `hangup` block as a stack to go on with; empty if no flow has one."""
        frames = (*self.stack, self.frame())
        for depth in range(len(frames), 0, -1):
            frame = frames[depth - 1]
            block = self.flows.flows[frame.flow].hangup
            if block is not None:
                return (Frame(frame.flow, block, frame.variables, {}),)
        return ()

    def fail(self, message: str, *, limit: bool = False) -> int:
        """A fault of the flow: log it, run the error block of the channel (flow-language 2.5)."""
        step = self.program[self.pc]
        self.note("error", message)
        if limit:
            self.stack = []
            self.said = ()
        self.reason = "limit" if limit else "failed"
        if self.failing:
            self.stack = []
            return self.apologize()
        self.failing = True
        return self.error_block(self.flow.quit if limit else step.next)

    def error_block(self, then: int) -> int:
        """Return the error block of the channel; where it ends, `then` follows. Without one: an apology."""
        block = self.flow.errors.get(self.channel)
        if block is None:
            return self.apologize()
        self.count(RESUME, then)
        return block

    def apologize(self) -> int:
        """End the session with our own apology, since the project has none."""
        self.stack = []
        self.say(phrases(self.lang).unavailable)
        return self.finish()

    def exhausted(self) -> int:
        """The step budget is used up: leave everything; the error block gets a few steps more."""
        if self.reason == "limit":  # the error block runs in circles, perhaps over several waits
            self.stack = []
            self.said = ()
            return self.apologize()
        message = f"more than {self.project.limits.steps_without_input} steps without an input"
        self.budget = self.steps + ERROR_STEPS
        return self.fail(message, limit=True)

    # The next session

    def after(self) -> Session:
        """Return the session as it stands now."""
        session, waiting = self.session, self.waiting
        frames: tuple[Frame, ...] = ()
        if waiting is not _ENDED:
            frames = (*self.stack, Frame(self.flow.id, self.pc, self.variables, self.counters))
            if self.asking:
                self.remember_question(frames)
        first, asked = self.first, self.asked
        if waiting is _ANSWER:  # see `Session`
            first, asked = () if first is frames else first, () if asked is frames else asked
        return Session(
            session.build,
            session.channel,
            session.caller,
            session.called,
            self.lang,
            session.started,
            session.text,
            frames,
            waiting,
            self.deadline,
            self.page,
            self.call,
            self.steps,
            self.said,
            self.ahead,
            self.history,
            first,
            self.looked,
            self.memory,
            self.charged,
            self.detached,
            session.event,
            self.final,
            asked,
            self.shown,
            self.reason,
            self.by_ahead,
            self.gone,
            self.farewell,
            self.trail,
        )

    def remember_question(self, frames: tuple[Frame, ...]) -> None:
        """Put the last question into the history and the one on the screen into its place."""
        if self.asked and self.asking == NEW:
            history = self.history
            self.history = (*(history if len(history) < HISTORY else history[1:]), self.asked)
        self.asking = 0
        self.asked = frames
        if not self.first or (len(self.first) > 1 and len(frames) == 1):
            self.first = frames
