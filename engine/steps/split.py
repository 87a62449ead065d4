"""`split`: a weighted choice that is always the same for a subscriber in a flow."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from engine.flow import Step
from engine.reading.fields import TABLE, Field
from engine.reading.workshop import Given
from engine.run import Run

_WEIGHT = re.compile(r"([0-9]{1,6})%?(?: .+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Split(Step):
    """Blocks by weight. Who is in which part depends on the phone, the flow and the place in it alone."""

    parts: tuple[tuple[str, int, int], ...]

    verb = "split"
    FIELDS = (Field("split", TABLE, required=True, doc="weights with their blocks: 70: old, 30: new"),)
    EXAMPLE = "- split:\n    70: monthly\n    30 новый: daily"

    @classmethod
    def build(cls, given: Given, following: int) -> int:
        """Make the step."""
        parts = []
        for entry in given.value("split") or ():
            match = _WEIGHT.fullmatch(entry.key.value)
            target = given.shop.block(entry.value, following)
            if match is None:
                given.report.error(
                    "type",
                    f'"{entry.key.value}" is not a weight: 70, or 50 with a word behind it: 50 new',
                    entry.key,
                )
                continue
            parts.append((entry.key.value, int(match[1]), target))
        if not sum(weight for _, weight, _ in parts):
            given.report.error(
                "type", "split needs a weight above 0", given.key, help="split: { 70: a, 30: b }"
            )
            return following
        return given.shop.add(cls(place=given.place, next=following, id=given.id, parts=tuple(parts)))

    def run(self, run: Run) -> int:
        """Choose."""
        who = run.caller or f"{run.session.called} {run.session.started}"
        name = f"{run.flow.id} {self.id or self.line} {who}"
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
        point = int.from_bytes(digest[:8], "big") % sum(weight for _, weight, _ in self.parts)
        for label, weight, target in self.parts:
            if point < weight:
                run.took(label)
                return target
            point -= weight
        raise AssertionError("the weights do not cover the point")

    def exits(self) -> tuple[tuple[str, int], ...]:
        """All blocks."""
        return tuple((label, target) for label, _, target in self.parts)
