"""What all questions have in common: showing, turning pages, global keys, tries, giving up.

A question (`ask`, `menu`) is a step that shows a screen and takes one answer. A key that is a valid answer
is an answer first; only then do the global keys act (flow-language 2.6). A page that says `9 Ещё` means it:
there the keys on the screen come first. This module does not know what an answer looks like.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.answer import cleaned
from engine.effects import Collect
from engine.flow import STOP, Step
from engine.glance import Glance
from engine.inputs import Digits, Input, Silence, Text
from engine.phrase import phrases
from engine.prompts import Page
from engine.run import AGAIN, NEW, SAME, Run
from engine.wording import Wording

__all__ = ["STOP", "Question"]

Plate = tuple[Collect | None, int]
"""The page of a constant question, ready to leave, and how long an answer is awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Step):
    """A step that shows a screen and takes an answer.

    `tries` counts askings, wrong answers and silence together; without `own_tries` a call takes those of
    `voice:` of the project. `timeout_ms` None is `keep` of the flow, else
    the channel's own time. The
    blocks are step numbers. `screens` are the pages of constant questions by (channel, language), `keys` the
    answers that are always there, save nothing and lead to the same step each time; `marks` is what is kept
    of them for people (`Stage.leave_trail`) by channel and key, where it is always the same.
    """

    tries: int = 3
    own_tries: bool = True
    timeout_ms: int | None = None
    no_input: int | None = None
    no_match: int | None = None
    hint: Wording | None = None
    secret: bool = False
    screens: Mapping[tuple[str, str], tuple[Page, ...]] = field(default_factory=dict)
    keys: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
    marks: dict[tuple[str, str], str] = field(default_factory=dict, compare=False, repr=False)
    plates: dict[tuple[str, str], Plate] = field(default_factory=dict, compare=False, repr=False)

    waits = True

    # What kinds of questions differ in

    def pages(self, run: Run) -> tuple[Page, ...]:
        """Return the pages of the question, with what is said before it."""
        raise AssertionError("a question has pages")

    def bare(self, run: Run) -> None:
        """Say the question without its choices, for a text that nobody can answer."""
        raise AssertionError("a question has a text")

    def accept(self, run: Run, text: str) -> int | None:
        """Take an answer: return the number of the next step, or None if it is no valid answer."""
        raise AssertionError("a question takes answers")

    def prepare(self, run: Run) -> None:
        """Get ready to take an answer to a question that is not shown."""

    def takes_key(self, key: str) -> bool:
        """Whether a global key is an answer of this question on every page."""
        return False

    def spare(self, run: Run) -> int | None:
        """What happens when all tries are used up and there is no block for it; None: the channel's way."""
        return None

    def wrong_words(self, run: Run) -> str:
        """What is said to a wrong answer where the step has no hint."""
        return phrases(run.lang).wrong

    def fits(self, run: Run, text: str) -> bool:
        """Tell whether a text would be taken as an answer, without taking it."""
        raise AssertionError("a question knows its answers")

    def takes(self, run: Run, text: str) -> bool:
        """Tell whether a text is for this question: an answer, or a key that turns its pages."""
        keys, pages = run.capabilities, run.shown[2]
        if text and ((run.page < pages and text == keys.more) or (run.page > 1 and text == keys.back)):
            return True
        return self.fits(run, text)

    # Asking

    def run(self, run: Run) -> int:
        """Ask; an answer dialled ahead is taken instead of asking."""
        if run.channel == "event":
            return run.fail(f"{self.verb}: nobody is on the line in a background flow")
        counters = run.counters
        if counters:
            if counters.get(AGAIN) == run.pc:
                run.count(AGAIN, None)
                run.asking = SAME
                if run.counters.get(run.pc, 0) >= self.most(run):
                    return self.give_up(run, silent=False)
            elif run.pc in counters:
                run.count(run.pc, None)
                run.asking = NEW
            else:
                run.asking = NEW
        else:
            run.asking = NEW
        if run.ahead:
            return self.ask_ahead(run)
        run.by_ahead = ()
        return self.show(run, 1)

    def ask_ahead(self, run: Run) -> int:
        """Answer with the next key dialled ahead; if it does not fit, the others are void and we ask."""
        self.prepare(run)
        keys, run.ahead = run.ahead[0], run.ahead[1:]
        at = (*run.stack, run.frame())
        target = self.accept(run, keys)
        if target is None:
            run.drop_ahead()
            return self.show(run, 1)
        run.remember_question(at)
        run.by_ahead = at
        return target

    def show(self, run: Run, number: int) -> int:
        """Show one page and wait."""
        if run.detached:
            return self.too_late(run)
        pages = None
        if not run.said:
            if number == 1 and not run.hidden:
                effect = self.whole_screen(run)
                if effect is not None:
                    return run.wait_with(effect)
            pages = self.screens.get((run.channel, run.lang))
        constant = pages is not None
        if pages is None:
            pages = self.pages(run)
        run.page = number = max(1, min(number, len(pages)))
        return run.wait_for_answer(pages[number - 1], len(pages), self.timeout(run), self.secret, constant)

    def whole_screen(self, run: Run) -> Collect | None:
        """Return the question as one page, without what is said before it; None where that takes more."""
        kind = (run.channel, run.lang)
        effect, timeout_ms = self.plates.get(kind) or self.plate(run, kind)
        total = run.capabilities.total_ms
        if total is not None and run.session.started + total - run.now < timeout_ms:
            return None
        if effect is not None:
            return effect
        text = self.whole_text(run)
        return None if text is None else Collect(text, timeout_ms, self.secret)

    def plate(self, run: Run, kind: tuple[str, str]) -> Plate:
        """Make what all sessions share of the question when it is first asked: a constant page, the time."""
        pages, timeout_ms = self.screens.get(kind, ()), self.timeout(run)
        effect = None
        if len(pages) == 1:
            effect = Collect(pages[0].text, timeout_ms, self.secret, 1, 1, False, True)
        self.plates[kind] = effect, timeout_ms
        return effect, timeout_ms

    def whole_text(self, run: Run | Glance) -> str | None:
        """Return the question if it is surely one page and not secret; None sends it the long way."""
        return None

    def timeout(self, run: Run) -> int:
        """Return how long an answer is awaited: as the step says, or the flow, or the channel."""
        if self.timeout_ms is not None:
            return self.timeout_ms
        keep_ms = run.flow.keep_ms
        return keep_ms if keep_ms is not None else run.capabilities.idle_ms

    def too_late(self, run: Run) -> int:
        """There is no screen any more: what was said goes by SMS, and the session ends at this question."""
        if not run.said:
            self.bare(run)
        run.asking = 0
        return run.quit("late")

    # Answers

    def resume(self, run: Run, given: Input) -> int:
        """Take what the subscriber did."""
        match given:
            case Text(text=typed) | Digits(digits=typed):
                return self.answered(run, cleaned(typed))
            case Silence():
                return self.missed(run, silent=True)
        raise AssertionError(f"a question does not take {type(given).__name__}")

    def answered(self, run: Run, text: str) -> int:
        """Take a text: a key of the page, an answer, a global key, or nothing that fits."""
        keys = run.capabilities
        pages = run.shown[2]
        if pages > 1:
            if run.page < pages and text == keys.more:
                return self.show(run, run.page + 1)
            if run.page > 1 and text == keys.back and text and not self.takes_key(text):
                return self.show(run, run.page - 1)
        if text:
            target = self.accept(run, text)
            if target is not None:
                self.settle(run)
                return target
            if text in (keys.back, keys.main):
                self.settle(run)
                return run.step_back() if text == keys.back else run.to_main()
            if run.channel == "voice" and text in (keys.repeat, keys.operator):
                return self.spoken_key(run, text)
        return self.missed(run, silent=False)

    def spoken_key(self, run: Run, key: str) -> int:
        """Take a global key of a call: the question once more, or to people."""
        if key == run.capabilities.operator:
            self.settle(run)
            run.asking = 0
            return run.to_operator()
        run.said = tuple((text, secret) for text, secret in run.said if not secret)
        return self.show(run, run.page)

    def settle(self, run: Run) -> None:
        """The question is over: what was said has been seen."""
        run.said = ()
        run.charged = False
        run.final = ""
        run.shown = (0, 0, 1)
        if run.looked:
            run.forget_looked()

    def most(self, run: Run) -> int:
        """Return how often the question is asked at most."""
        if self.own_tries or run.channel != "voice":
            return self.tries
        return run.capabilities.tries

    def missed(self, run: Run, *, silent: bool) -> int:
        """No valid answer: ask again with the hint, or give up."""
        tries = run.counters.get(run.pc, 0) + 1
        run.note("no_input" if silent else "no_match")
        # A silent SMS dialogue is not asked again: nobody wants to be nagged by a machine for days.
        if tries >= self.most(run) or (silent and run.channel == "sms"):
            return self.give_up(run, silent=silent)
        run.count(run.pc, tries)
        run.said = ()
        hint = run.said_of(self.hint)
        if not silent:
            run.charged = False  # an answer, though a wrong one, shows that the screen was seen
            run.final = ""
        if hint or not silent:
            run.say(hint or self.wrong_words(run))
        return self.show(run, 1)

    def give_up(self, run: Run, *, silent: bool) -> int:
        """All tries are used up: the step's block, its spare way, or the way of the channel."""
        block = self.no_input if silent else self.no_match
        run.asking = 0
        if block is not None:
            self.settle(run)
            run.took("no_input" if silent else "no_match")
            return block
        target = self.spare(run)
        if target is not None:
            self.settle(run)
            return target
        self.settle(run)
        if run.channel == "voice":
            return run.to_operator()
        words = phrases(run.lang)
        if not silent:
            run.say(run.said_of(self.hint) or self.wrong_words(run))
        elif run.channel == "ussd":
            run.say(words.silent)
        return run.quit("no_answer")

    def blocks(self) -> tuple[tuple[str, int], ...]:
        """The blocks for silence and wrong answers as ways out."""
        pairs = (("no_input", self.no_input), ("no_match", self.no_match))
        return tuple((label, target) for label, target in pairs if target is not None)
