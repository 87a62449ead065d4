"""Logs: fixed lower-case events with keys, as JSON lines or for a person's eyes; numbers masked in one place.

An MSISDN is anything of ten digits or more; it keeps its first four and last four. Of an exception its kind
and its lines are shown; what it says only where that cannot be a value of a subscriber. Control characters
and those that change the direction of text are shown as escapes: a subscriber cannot draw a log line.
"""

from __future__ import annotations

import logging
import re
import sqlite3
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

_NUMBER = re.compile(r"(?<!\d)(\d{4})\d{2,8}(\d{4})(?!\d)")
_CONTROLS = {
    code: f"\\u{code:04x}"
    for part in (
        range(32),
        range(0x7F, 0xA0),
        range(0x200E, 0x2010),
        range(0x202A, 0x202F),
        range(0x2066, 0x206A),
    )
    for code in part
}
_OURS = frozenset({"event", "level", "timestamp"})
_SPEAKING = (OSError, sqlite3.Error, AttributeError, TypeError, NameError, RuntimeError)
"""Exceptions that say what is wrong with the program or its surroundings, not which value they met."""


def masked_number(number: str) -> str:
    """Return an MSISDN as logs show it: `7916***4567`; a short one is shown as it is."""
    return f"{number[:4]}***{number[-4:]}" if len(number) >= 10 else number


def masked_text(text: str) -> str:
    """Return a text with every number of ten digits or more masked and control characters escaped."""
    return _NUMBER.sub(r"\1***\2", text).translate(_CONTROLS)


def _mask(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    for key, value in event.items():
        if key not in _OURS and isinstance(value, str):
            event[key] = masked_text(value)
    return event


def _show_fault(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Put a traceback in place of `exc_info`: `ValueError('4321')` must not tell a code that was typed."""
    told = event.pop("exc_info", None)
    fault = sys.exception() if told is True else told[1] if isinstance(told, tuple) else told
    if isinstance(fault, BaseException):
        frames = traceback.extract_tb(fault.__traceback__)
        lines = [f"{one.filename}:{one.lineno} {one.name}: {one.line}" for one in frames]
        said = f": {fault}" if isinstance(fault, _SPEAKING) else ""
        event["exception"] = " | ".join((*lines, f"{type(fault).__name__}{said}"))
    return event


def configure(*, level: str = "info", as_json: bool | None = None, stream: TextIO | None = None) -> None:
    """Set up logging for the whole process; JSON unless the stream is a terminal."""
    out = stream or sys.stderr
    as_json = not out.isatty() if as_json is None else as_json
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _show_fault,
            _mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(threshold, logging.WARNING), stream=out, force=True)
