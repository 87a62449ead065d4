"""What a condition says before it is evaluated: decided by the channel alone, or narrowing types.

`channel == 'voice'` is known in a flow that is followed for USSD; so is `channel == 'ussd' or x`, and
`channel == 'sms' and x`. A branch that a channel cannot take is not checked for that channel.
"""

from __future__ import annotations

from functools import lru_cache

from engine.expressions import Expression
from engine.expressions.narrowing import Types, filled
from engine.expressions.parse import parse_expression, parse_text
from engine.expressions.source import Source
from engine.expressions.syntax import Compare, Constant, Listed, Logic, Name, Node, Not, Part
from engine.expressions.vocabulary import CONSTANTS
from engine.reading.diagnostic import Place

_NOWHERE = Place("", 1, 1)


@lru_cache(maxsize=4096)
def tree_of(source: str) -> Node:
    """Return the syntax tree of an expression that has compiled."""
    return parse_expression(Source(source, _NOWHERE))


@lru_cache(maxsize=4096)
def parts_of(source: str) -> tuple[Part, ...]:
    """Return the parts of a text that has compiled."""
    return parse_text(Source(source, _NOWHERE))


def decided(test: Expression, channel: str) -> bool | None:
    """Return what a condition is in a channel, None if the channel does not decide it."""
    return _truth(tree_of(test.source), channel)


def _truth(node: Node, channel: str) -> bool | None:
    match node:
        case Constant(value=value):
            return bool(value)
        case Name(name=name) if name in CONSTANTS:
            return bool(CONSTANTS[name])
        case Not(part=part):
            truth = _truth(part, channel)
            return None if truth is None else not truth
        case Logic(all=all_, parts=parts):
            return _joint(all_, [_truth(part, channel) for part in parts])
        case Compare(first=first, rest=((sign, second),)):
            return _compared(sign, first, second, channel)
    return None


def _joint(all_: bool, truths: list[bool | None]) -> bool | None:
    if (not all_) in truths:
        return not all_
    return None if None in truths else all_


def _compared(sign: str, first: Node, second: Node, channel: str) -> bool | None:
    if isinstance(second, Listed):
        words = [_word(item, channel) for item in second.items]
        left = _word(first, channel)
        if left is None or None in words or not _is_channel(first):
            return None
        return (left in words) is (sign == "in") if sign in ("in", "not in") else None
    if not (_is_channel(first) or _is_channel(second)) or sign not in ("==", "!="):
        return None
    left, right = _word(first, channel), _word(second, channel)
    return None if left is None or right is None else (left == right) is (sign == "==")


def _is_channel(node: Node) -> bool:
    return isinstance(node, Name) and node.name == "channel"


def _word(node: Node, channel: str) -> str | None:
    if _is_channel(node):
        return channel
    return node.value if isinstance(node, Constant) and isinstance(node.value, str) else None


def filled_subject(subject: Expression, types: Types) -> Types:
    """Return the types where the subject of a `switch` has one of its values, so it is not empty."""
    return filled(tree_of(subject.source), types)
