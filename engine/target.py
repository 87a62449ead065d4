"""The tiny steps behind the words a block may name: `end`, `return`, `again`, `back`, `main`, and so on.

The compiler puts them into every flow, so that wherever control goes there is a step. They know nothing but
the rules of `engine.run`.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.flow import Step
from engine.glance import Glance
from engine.run import AGAIN, RESUME, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene(Step):
    """The head of a scene; jumps lead here. `name` is for traces."""

    name: str

    glides = True

    def run(self, run: Run) -> int:
        """Go on with the first step of the scene."""
        return self.next

    def glide(self, glance: Glance) -> int:
        """As `run`."""
        return self.next


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Step):
    """The flow is left: `left` silently after the last step, `end`, or `return` without a value."""

    reason: str

    glides = True

    def run(self, run: Run) -> int:
        """Leave the running flow."""
        return run.leave(self.reason)

    def glide(self, glance: Glance) -> int:
        """End the session without a last word."""
        return glance.leave(self.reason)

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Nothing of this flow follows."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Quit(Step):
    """All flows are left (`hangup`)."""

    def run(self, run: Run) -> int:
        """End the session."""
        return run.quit("hangup")

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Nothing follows."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Back(Step):
    """To the question before (`back`)."""

    def run(self, run: Run) -> int:
        """Go back."""
        return run.step_back()

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Where it leads is known only when it runs."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Main(Step):
    """To the first question of the session (`main`)."""

    def run(self, run: Run) -> int:
        """Go to the first question."""
        return run.to_main()

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Where it leads is known only when it runs."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(Step):
    """To people (`operator`)."""

    def run(self, run: Run) -> int:
        """Leave all flows for the nearest `operator` block."""
        return run.to_operator()

    def exits(self) -> tuple[tuple[str, int], ...]:
        """All flows are left."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Again(Step):
    """Repeat the question or request the block belongs to (`again`); it counts as a try."""

    target: int

    def run(self, run: Run) -> int:
        """Enter the step once more."""
        run.count(self.target, run.counters.get(self.target, 0) + 1)
        run.count(AGAIN, self.target)
        return self.target

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Back to the step."""
        return (("", self.target),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume(Step):
    """The end of an error block of the flow or the project: go on after the step that failed."""

    def run(self, run: Run) -> int:
        """Go on where the failed step would have."""
        target = run.counters.get(RESUME, run.flow.quit)
        run.count(RESUME, None)
        run.failing = False
        return target

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Where it leads is known only when it runs."""
        return ()
