"""What the running flow knows: its variables, the world of this turn, answers that were looked up, texts.

It stands between `engine.stage` (the screen) and `engine.run` (where control goes) and knows neither inputs
nor steps.
"""

from __future__ import annotations

from engine.chosen_language import keep_language
from engine.effects import Look, Question
from engine.expressions import Expression, Template, World, question_key
from engine.session import Waiting
from engine.spoken import JOINT
from engine.stage import Stage
from engine.topic import topic_of
from engine.turn_world import world_of
from engine.values import Secret, Value
from engine.wording import Wording


class View(Stage):
    """A turn as expressions and texts see it."""

    __slots__ = ()

    # Variables

    def own(self) -> None:
        """Copy variables and counters before the first change: stored sessions share them."""
        if not self.owned:
            self.variables = dict(self.variables)
            self.counters = dict(self.counters)
            self.owned = True

    def set(self, name: str, value: Value) -> None:
        """Set a variable of the running flow; `lang` is that of the session, and of the next ones."""
        if name == "lang":
            if value not in self.flow.languages:
                self.note("error", f"the flow has no language {value}")
                return
            self.lang = str(value)
            self._world = None
            self.effects.extend(keep_language(self.project, self.caller, self.lang))
            return
        self.own()
        self.variables[name] = value

    def unset(self, name: str) -> None:
        """Make a variable unknown."""
        if name in self.variables:
            self.own()
            del self.variables[name]

    def count(self, key: int, value: int | None) -> None:
        """Set a counter of the running flow, or remove it."""
        if self.counters.get(key) == value:
            return
        self.own()
        if value is None:
            del self.counters[key]
        else:
            self.counters[key] = value

    # Values

    def make_world(self) -> World:
        """Return what built-in words read in this turn."""
        return world_of(self.flows, self.session, self.flow, self.stack, self.lang, self.looked, self.now)

    def topic(self) -> str:
        """The topic of the innermost flow that declares one, else the id of the first flow."""
        return topic_of(self.flows, self.flow, self.stack)

    def text_of(self, wording: Wording | None) -> str | Secret:
        """Return a text for this channel and language to be read; empty where the channel has none."""
        form = None if wording is None else wording.forms.get((self.channel, self.lang))
        if form is None:
            return ""
        return form.constant if form.constant is not None else form.template.render(self)

    def said_of(self, wording: Wording | None) -> str | Secret:
        """Return a text as it is said in this channel and language; in a call with marks in it."""
        form = None if wording is None else wording.forms.get((self.channel, self.lang))
        if form is None:
            return ""
        return form.constant if form.constant is not None else form.render(self)

    def speak(self, wording: Wording) -> None:
        """Say a text of the flow."""
        form = wording.forms.get((self.channel, self.lang))
        if form is None:
            return
        if form.constant is not None:
            self.say(form.constant, constant=True)
        else:
            self.say(form.render(self))

    def head(self, wording: Wording) -> str:
        """Return what is said and the text behind it; the buffer stays, a page may be shown again."""
        text = self.said_of(wording)
        self.hidden = isinstance(text, Secret)
        plain = text.reveal() if isinstance(text, Secret) else text
        if not self.said:
            return plain
        joint = JOINT if self.channel == "voice" else "\n"
        said = self.said_text()[0]
        return f"{said}{joint}{plain}" if plain else said

    def main_text(self, wording: Wording) -> str:
        """Render a text in the main language, for notes and statistics."""
        form = wording.forms.get((self.channel, self.project.languages[0]))
        return "" if form is None else form.constant or str(form.template.render(self))

    def open_text(self, wording: Wording) -> str:
        """Return a text for the trail: in the main language, `…` if a value in it is private."""
        form = wording.forms.get((self.channel, self.project.languages[0]))
        if form is None:
            return ""
        if form.constant is not None:
            return form.constant
        template = form.template
        private = self.flows.private
        if any(name in private for use in template.uses for name in use.path) or not private.isdisjoint(
            template.words
        ):
            return "…"
        return str(template.render(self))

    def is_constant(self, wording: Wording) -> bool:
        """Tell whether `open_text` gives the same for a text each time."""
        form = wording.forms.get((self.channel, self.project.languages[0]))
        return form is None or form.constant is not None

    def look(self, parts: tuple[Expression | Template, ...]) -> bool:
        """Ask the world what the step's fields need; return False if all of it is known already."""
        missing = self.missing(parts)
        if not missing:
            return False
        self.waiting = Waiting.LOOK
        self.deadline = None
        self.effects.append(Look(missing))
        return True

    def missing(self, parts: tuple[Expression | Template, ...]) -> tuple[Question, ...]:
        """Return the questions of the fields that have no answer yet, each once."""
        found: dict[str, Question] = {}
        for part in parts:
            for question in part.questions(self):
                key = question_key(question)
                if key in self.looked or key in found:
                    continue
                if question.kind == "memory" and self.is_own_memory(question.name, question.subject):
                    self.learn(key, self.memory.get(question.name, 0))
                else:
                    found[key] = question
        return tuple(found.values())

    def is_own_memory(self, name: str, subject: str) -> bool:
        """Whether a memory lives in the session: declared so, or the number of the subscriber is hidden."""
        return not subject or (self.project.memory.get(name, 0) == 0 and subject == self.caller)

    def learn(self, key: str, value: Value) -> None:
        """Keep the answer to a question until the next wait."""
        self.looked = {**self.looked, key: value}
        if self._world is not None:
            self._world.looked = self.looked

    def forget_looked(self, prefix: str = "") -> None:
        """Drop what was looked up: all of it, or the answers whose key begins with `prefix`."""
        if self.looked:
            kept = {k: v for k, v in self.looked.items() if not k.startswith(prefix)} if prefix else {}
            self.looked = kept
            if self._world is not None:
                self._world.looked = kept

    def remember(self, name: str, subject: str) -> int:
        """Count one more of a memory; return how many are kept now, as far as it is known here."""
        if self.is_own_memory(name, subject):
            kept = self.memory.get(name, 0) + 1
            self.memory = {**self.memory, name: kept}
        else:
            known = self.looked.get(f"memory:{name}:{subject}")
            if not isinstance(known, int):
                return 1
            kept = known + 1
        self.learn(f"memory:{name}:{subject}", kept)
        return kept

    def forget_memory(self, name: str, subject: str) -> None:
        """Nothing of a memory is kept any more."""
        if self.is_own_memory(name, subject):
            self.memory = {key: kept for key, kept in self.memory.items() if key != name}
        self.learn(f"memory:{name}:{subject}", 0)
