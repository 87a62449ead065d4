"""How Asterisk reads what a FastAGI server writes: lines, words, `${...}`.

Written from measurements, not from what our own commands look like, so that a command of ours that Asterisk
would read in another way is read in that way here too.
"""

from collections.abc import Callable, Mapping

LINE_OCTETS = 8_191
"""Asterisk takes so many octets at once; what is behind them is the next command."""

WORDS = 127


def lines(buffer: bytearray) -> list[str]:
    """Take the complete commands out of a buffer, as Asterisk cuts them."""
    found = []
    while buffer:
        end = buffer.find(b"\n", 0, LINE_OCTETS)
        if end < 0 and len(buffer) < LINE_OCTETS:
            break
        cut = LINE_OCTETS if end < 0 else end + 1
        found.append(bytes(buffer[:cut]).decode("utf-8", "replace").rstrip("\r\n"))
        del buffer[:cut]
    return found


def words(line: str) -> list[str]:
    """Split a command: quotes group, a backslash takes the next character as it is; at most 127 words."""
    found: list[str] = []
    word: list[str] | None = None
    quoted = escaped = False
    for character in line:
        if escaped:
            word = [*(word or []), character]
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            quoted = not quoted
            word = word or []
        elif character in " \t" and not quoted:
            if word is not None:
                found.append("".join(word))
            word = None
        else:
            word = word or []
            word.append(character)
    if word is not None:
        found.append("".join(word))
    return found[:WORDS]


def substituted(text: str, value: Callable[[str], str]) -> str:
    """Replace every `${...}` by its value, the inner ones first; a value is not looked through again."""
    result = []
    position = 0
    while (start := text.find("${", position)) >= 0:
        result.append(text[position:start])
        depth, end = 1, start + 2
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        result.append(value(substituted(text[start + 2 : end - 1], value)))
        position = end
    return "".join([*result, text[position:]])


def evaluated(expression: str, variables: Mapping[str, str]) -> str:
    """Return the value of what stands in `${...}`: a variable, a function of a fixed list, or FILTER."""
    if expression.startswith("FILTER(") and expression.endswith(")"):
        allowed, _, text = expression[len("FILTER(") : -1].partition(",")
        return "".join(one for one in text if one in _set(allowed))
    return variables.get(expression, "")


def _set(allowed: str) -> frozenset[str]:
    found = set()
    position = 0
    while position < len(allowed):
        if allowed[position + 1 : position + 2] == "-" and position + 2 < len(allowed):
            found |= {chr(one) for one in range(ord(allowed[position]), ord(allowed[position + 2]) + 1)}
            position += 3
        else:
            found.add(allowed[position])
            position += 1
    return frozenset(found)
