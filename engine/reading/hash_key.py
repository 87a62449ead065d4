"""Menu lines that YAML took for comments: `#: again`, `# Повторить: again`.

The key `#` of a menu is written in quotes. A line without them is a comment to YAML and vanishes without
a word, so the lines of a menu are looked at once more. Comments of people must stay comments: only a line
counts that begins exactly where the keys of the menu do, beside a key of digits, and that reads `#…:` or
`#…: target`; a menu line that was commented out (`# 3 Нет: no_scene`) does not.
"""

from __future__ import annotations

import re

from engine.reading.diagnostic import Report
from engine.reading.tree import Table
from engine.reading.yaml_source import Source

_MENU_KEY = re.compile(r"[0-9*#]+(?: |$)")
_HASH_LINE = re.compile(r"#(?! ?[0-9*#]+ )[^:#]*:\s*(?:[a-z_][a-z0-9_]*)?\s*(?:\s#.*)?$")
_MAX_LINE = 200  # a longer line is no menu line, and the pattern would take long over it


def report_hash_keys(table: Table, source: Source, report: Report) -> None:
    """Add `hash-key` for each such line of a table that is a menu written in lines."""
    if not any(_MENU_KEY.match(entry.key.value) for entry in table):
        return
    indent = table.place.column - 1
    for number in range(table.place.line, len(source.lines)):
        line = source.lines[number]
        content = line.lstrip(" ")
        depth = len(line) - len(content)
        if content and not content.startswith("#") and depth < indent:
            return
        if depth == indent and len(content) <= _MAX_LINE and _HASH_LINE.match(content):
            label, _, target = content.partition(":")
            report.error(
                "hash-key",
                'this line is a YAML comment; a menu key # is written "#"',
                source.place(number, depth, len(line)),
                help=f'write "{label.rstrip()}":{target.rstrip()}; in a real comment leave the colon out',
            )
