"""A file before it is YAML: bytes to a text that is safe to hand to the parser.

Reports what no YAML message explains: too large, not UTF-8, control characters, tabs. It does not know the
structure of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.reading.diagnostic import Place, Report
from engine.reading.report import source_lines

MAX_BYTES = 1 << 20
"""Size of the largest file that is read; a flow has some kilobytes."""

MAX_REPEATED = 10
"""Findings of one sort (tabs, control characters) that are reported before it is enough."""

# All that YAML does not call printable, and the line separators that nobody sees in an editor but YAML
# takes for line breaks (U+0085, U+2028, U+2029).
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_TAB_LINE = re.compile(r"(?P<indent>[ \t]*)(?P<rest>.*)", re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s)#\s")


@dataclass(frozen=True, slots=True)
class Source:
    """A text that may be parsed, and its lines (without line breaks, the first one is number 1)."""

    text: str
    lines: list[str]
    file: str

    def place(self, line: int, column: int, end_column: int | None = None) -> Place:
        """Return a place from a line and a column that count from 0, as the marks of the parser do."""
        return Place(self.file, line + 1, column + 1, None if end_column is None else end_column + 1)

    def line(self, number: int) -> str:
        """Return a line by its number from 0, or an empty one behind the end."""
        return self.lines[number] if 0 <= number < len(self.lines) else ""

    def index(self, line: int, column: int) -> int:
        """Return where in `text` the place is; both count from 0."""
        position = 0
        for _ in range(line):
            match = _LINE_END.search(self.text, position)
            if match is None:
                return len(self.text)
            position = match.end()
        return min(position + column, len(self.text))


_LINE_END = re.compile(r"\r\n|\n|\r")


def read_source(raw: str | bytes, file: str, report: Report) -> Source | None:
    """Check a file and return its text without a byte order mark; None if it cannot be parsed at all."""
    text = _decoded(raw, file, report) if isinstance(raw, bytes) else raw
    if text is None:
        return None
    # surrogatepass: a lone surrogate is reported below with its place, not here.
    size = len(raw) if isinstance(raw, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        report.error(
            "yaml",
            f"the file has {size} bytes; a file may have {MAX_BYTES}",
            Place(file, 1, 1),
            help="split it: one flow is one file",
        )
        return None
    source = Source(text.removeprefix("\ufeff"), source_lines(text), file)
    if _has_control_characters(source, report) or _has_tab_indentation(source, report):
        return None
    return source


def _decoded(raw: bytes, file: str, report: Report) -> str | None:
    if len(raw) > MAX_BYTES:
        raw_size = len(raw)
        report.error("yaml", f"the file has {raw_size} bytes; a file may have {MAX_BYTES}", Place(file, 1, 1))
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source_lines(raw[: error.start].decode("utf-8", "replace"))
        report.error(
            "yaml",
            f"the file is not UTF-8: byte 0x{raw[error.start]:02X} means nothing here",
            Place(file, len(before), len(before[-1]) + 1),
            help=_encoding_help(raw),
        )
        return None


def _encoding_help(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "it looks like UTF-16: save it as UTF-8"
    # Russian letters are 0xC0-0xFF in windows-1251, the usual other encoding of such files.
    if sum(byte >= 0xC0 for byte in raw) > 0.6 * sum(byte >= 0x80 for byte in raw):
        return "it looks like windows-1251: save it as UTF-8"
    return "save it as UTF-8"


def _has_control_characters(source: Source, report: Report) -> bool:
    if _FORBIDDEN.search(source.text) is None:
        return False
    found = 0
    for number, line in enumerate(source.lines):
        for match in _FORBIDDEN.finditer(line):
            found += 1
            if found > MAX_REPEATED:
                return True
            report.error(
                "yaml",
                f"an invisible character stands here (U+{ord(match[0]):04X})",
                source.place(number, match.start(), match.end()),
                help="delete it",
            )
    return True


def _has_tab_indentation(source: Source, report: Report) -> bool:
    if "\t" not in source.text:
        return False
    indented = False
    found = 0
    for number, line in enumerate(source.lines):
        if "\t" not in line:
            continue
        match = _TAB_LINE.match(line)
        rest = match["rest"] if match else line
        if not rest or rest.startswith("#"):
            continue  # blank lines and comment lines mean nothing, tabs in them harm nobody
        in_indent = "\t" in line[: len(line) - len(rest)]
        column = line.index("\t")
        if not in_indent and (comment := _COMMENT.search(line)) and comment.start() <= column:
            continue
        indented = indented or in_indent
        found += 1
        if found <= MAX_REPEATED:
            sentence = "this line is indented with a tab; YAML indents with spaces"
            report.error(
                "yaml",
                sentence if in_indent else "a tab stands here; write spaces",
                source.place(number, column, column + 1),
                help="replace the tab by spaces",
            )
    return indented
