"""Which flow a dialled code or a message starts: a tree over the dialled characters, a table of words.

Finding costs the length of what was dialled, however many codes there are. More literal characters win over
parameters; a dial that fits no type is tried on the next pattern and then as a code with answers dialled
ahead (flow-language 2.2). What is in a pattern is read by `engine.reading.pattern`; conflicts are its
business too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine import answer
from engine.session import AHEAD_KEY
from engine.types import Privacy, Scalar, Type
from engine.values import Secret, Value

MAX_DIALLED = 182
"""Characters of a dialled code; more do not fit a USSD request."""

HIDDEN = "••••"
"""What stands for digits that must not be seen."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed group of a pattern, `{code:secret(14)}`; `length` is the exact number of characters."""

    name: str
    type: Type
    length: int | None = None

    def read(self, group: str, country: str) -> Value:
        """Return the value of what stands in its place, or None if it does not fit."""
        if not group or (self.length is not None and (len(group) != self.length or not _digits(group))):
            return None
        if self.type.privacy is Privacy.SECRET:
            return Secret(group)
        match self.type.shape:
            case Scalar.INT:
                return answer.whole_number(group)
            case Scalar.MONEY:
                return answer.amount(group)
            case Scalar.PHONE:
                return answer.phone(group, country)
            case Scalar.DATE:
                return answer.calendar_date(group)
        return group


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


@dataclass(frozen=True, slots=True)
class Start:
    """What begins a session: the flow, its inputs, keys dialled ahead.

    `called` is what was dialled, with secrets hidden: the only form that may be kept or shown.
    """

    flow: str
    arguments: Mapping[str, Value] = field(default_factory=dict)
    ahead: tuple[str, ...] = ()
    called: str = ""


@dataclass(slots=True)
class Node:
    """A place in the tree: literal characters lead on, or a parameter up to the next `*` or `#`."""

    literals: dict[str, Node] = field(default_factory=dict)
    parameters: list[tuple[Parameter, Node]] = field(default_factory=list)
    flow: str | None = None
    dial_ahead: bool = True
    plain: bool = True


class CodeTree:
    """All USSD codes of a build."""

    def __init__(self, country: str = "RU") -> None:
        self.country = country
        self.root = Node()
        self._plain: dict[str, Start] = {}

    def add(self, pattern: tuple[str | Parameter, ...], flow: str, dial_ahead: bool) -> None:
        """Add a pattern; the texts in it are literal characters."""
        node = self.root
        plain = True
        for part in pattern:
            if isinstance(part, Parameter):
                plain = False
                known = [next_ for parameter, next_ in node.parameters if parameter == part]
                if not known:
                    known = [Node()]
                    # A parameter of a fixed length is the narrower one and is tried first.
                    at = 0 if part.length is not None else len(node.parameters)
                    node.parameters.insert(at, (part, known[0]))
                node = known[0]
                continue
            for character in part:
                node = node.literals.setdefault(character, Node())
        node.flow, node.dial_ahead, node.plain = flow, dial_ahead, plain
        if plain:
            code = "".join(part for part in pattern if isinstance(part, str))
            self._plain[code] = Start(flow, {}, (), code)

    def find(self, dialled: str) -> Start | None:
        """Return what a dialled code starts, or None."""
        start = self._plain.get(dialled)  # nothing has more literal characters than the code itself
        if start is not None:
            return start
        if not 2 <= len(dialled) <= MAX_DIALLED:
            return None
        found = self.match(dialled)
        if found is not None:
            node, arguments, called = found
            return Start(node.flow or "", arguments, (), called)
        return self.find_ahead(dialled)

    def find_ahead(self, dialled: str) -> Start | None:
        """Read the groups behind the longest plain code as answers: `*202*3#` is `*202#` and then 3."""
        if not dialled.endswith("#"):
            return None
        groups = dialled[:-1].split("*")
        for length in range(len(groups) - 1, 1, -1):
            ahead = tuple(groups[length:])
            if not all(map(_digits, ahead)):
                continue
            found = self.match("*".join(groups[:length]) + "#")
            if found is not None and found[0].plain and found[0].dial_ahead:
                shown = "".join("*" + (HIDDEN if len(keys) > AHEAD_KEY else keys) for keys in ahead)
                return Start(found[0].flow or "", {}, ahead, f"{found[2][:-1]}{shown}#")
        return None

    def match(self, dialled: str) -> tuple[Node, dict[str, Value], str] | None:
        """Find the pattern that fits the whole dial with the most literal characters."""
        best: tuple[int, Node, tuple[tuple[str, Value, str], ...], str] | None = None
        open_: list[tuple[Node, int, int, tuple[tuple[str, Value, str], ...], str]] = [
            (self.root, 0, 0, (), "")
        ]
        while open_:
            node, at, literal, arguments, shown = open_.pop()
            if at == len(dialled):
                if node.flow is not None and (best is None or literal > best[0]):
                    best = (literal, node, arguments, shown)
                continue
            if node.parameters:
                end = at
                while end < len(dialled) and dialled[end] not in "*#":
                    end += 1
                group = dialled[at:end]
                for parameter, next_ in reversed(node.parameters):
                    value = parameter.read(group, self.country)
                    if value is not None:
                        seen = HIDDEN if isinstance(value, Secret) else group
                        given = (*arguments, (parameter.name, value, seen))
                        open_.append((next_, end, literal, given, shown + seen))
            following = node.literals.get(dialled[at])
            if following is not None:
                open_.append((following, at + 1, literal + 1, arguments, shown + dialled[at]))
        if best is None:
            return None
        _, node, arguments, shown = best
        return node, {name: value for name, value, _ in arguments}, shown


def words_of(text: str) -> tuple[str, ...]:
    """Split a text into words to compare: no case, `ё` is `е`, everything but letters and digits parts."""
    folded = text.casefold().replace("ё", "е")
    return tuple("".join(sign if sign.isalnum() else " " for sign in folded).split())


@dataclass(slots=True)
class Mailbox:
    """What one number takes: phrases by their first word, text patterns, any text."""

    phrases: dict[str, list[tuple[tuple[str, ...], str]]] = field(default_factory=dict)
    patterns: list[tuple[tuple[tuple[str, ...] | Parameter, ...], str]] = field(default_factory=list)
    any: str | None = None


class SmsTable:
    """All SMS triggers of a build."""

    def __init__(self, country: str = "RU") -> None:
        self.country = country
        self.boxes: dict[str, Mailbox] = {}

    def box(self, to: str) -> Mailbox:
        """Return the mailbox of a number, made if there is none."""
        return self.boxes.setdefault(to, Mailbox())

    def find(self, to: str, text: str) -> Start | None:
        """Return what a message starts: a text pattern, else the longest phrase in it, else any text."""
        box = self.boxes.get(to)
        if box is None:
            return None
        text = answer.cleaned(text)
        if box.patterns or box.phrases:
            words = words_of(text)
            for pattern, flow in box.patterns:
                arguments = self.fit(pattern, text)
                if arguments is not None:
                    return Start(flow, arguments, (), to)
            found = self.phrase(box, words)
            if found is not None:
                return Start(found, {}, (), to)
        return Start(box.any, {}, (), to) if box.any is not None else None

    def is_keyword(self, to: str, text: str) -> bool:
        """Tell whether a message has the words or the form of a trigger; any-text triggers do not count."""
        box = self.boxes.get(to)
        if box is None:
            return False
        text = answer.cleaned(text)
        if any(self.fit(pattern, text) is not None for pattern, _ in box.patterns):
            return True
        return self.phrase(box, words_of(text)) is not None

    @staticmethod
    def phrase(box: Mailbox, words: tuple[str, ...]) -> str | None:
        """Find the phrase with the most characters among the words of a message."""
        best: tuple[int, str] | None = None
        for at, word in enumerate(words):
            for phrase, flow in box.phrases.get(word, ()):
                size = sum(map(len, phrase))
                if words[at : at + len(phrase)] == phrase and (best is None or size > best[0]):
                    best = (size, flow)
        return best[1] if best is not None else None

    def fit(self, pattern: tuple[tuple[str, ...] | Parameter, ...], text: str) -> dict[str, Value] | None:
        """Fit a whole message to a text pattern: words in their order, parameters one group each.

        A `text` parameter at the end takes all that is left.
        """
        groups = text.split()
        at = 0
        arguments: dict[str, Value] = {}
        for number, part in enumerate(pattern):
            if isinstance(part, tuple):
                given = tuple(word for group in groups[at : at + len(part)] for word in words_of(group))
                if given != part:
                    return None
                at += len(part)
                continue
            last = number + 1 == len(pattern)
            wide = last and part.type.shape is Scalar.TEXT and part.length is None
            group = " ".join(groups[at:]) if wide else (groups[at] if at < len(groups) else "")
            value = part.read(group, self.country)
            if value is None:
                return None
            arguments[part.name] = value
            at = len(groups) if wide else at + 1
        return arguments if at == len(groups) else None
