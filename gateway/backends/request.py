"""One HTTP request from an operation and its arguments: path, query or body, headers.

The subscriber, the language and the channel go along by themselves: the number where the path has `{phone}`,
else as `phone` in the body of a request that has one; the others as `X-Gudok-Lang` and `X-Gudok-Channel`.
A secret goes in a body or not at all: addresses are logged by every proxy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from engine.types import PHONE, TEXT, Privacy, Type
from engine.values import Secret, Value
from gateway.backends.operation import Operation
from gateway.backends.wire import MisfitError, write

MAX_URL = 4_096
_PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}", re.ASCII)
_HEADER = re.compile(r"[A-Za-z0-9._:-]{1,128}", re.ASCII)
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})
_BY_THEMSELVES: Mapping[str, Type] = {"phone": PHONE, "lang": TEXT, "channel": TEXT, "key": TEXT}


@dataclass(frozen=True, slots=True)
class Request:
    """What leaves for the back end. `target` is percent-encoded path and query below the back end's URL."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None


def build(
    operation: Operation,
    arguments: Mapping[str, Value],
    *,
    phone: str,
    lang: str,
    channel: str,
    key: str | None,
) -> Request:
    """Return the request; raises MisfitError for a missing, ill-typed or wrongly placed argument."""
    method = operation.method.upper()
    standing = {"phone": phone, "lang": lang, "channel": channel, "key": key}
    used: set[str] = set()

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        used.add(name)
        value = arguments[name] if name in arguments else standing.get(name)
        return _segment(value, operation.takes.get(name) or _BY_THEMSELVES.get(name), name)

    target = _PLACE.sub(fill, operation.path)
    fields: dict[str, Any] = {}
    for name, type_ in operation.takes.items():
        if name in used:
            continue
        if method not in _BODY_METHODS and (
            type_.privacy is Privacy.SECRET or isinstance(arguments.get(name), Secret)
        ):
            raise MisfitError(f"{name} is secret and cannot be sent in an address")
        fields[name] = write(arguments.get(name), type_, name)
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip, deflate"}
    for title, text in (("X-Gudok-Lang", lang), ("X-Gudok-Channel", channel), ("Idempotency-Key", key)):
        if text:
            headers[title] = _header(text, title)
    if method not in _BODY_METHODS:
        told = {name: _query_text(value) for name, value in fields.items() if value is not None}
        query = urlencode([(name, _safe(text, name)) for name, text in told.items()])
        target = f"{target}?{query}" if query else target
        body = None
    else:
        if "phone" not in used and phone:
            fields.setdefault("phone", phone)
        body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
        headers["Content-Type"] = "application/json"
    if len(target) > MAX_URL:
        raise MisfitError(f"the address is longer than {MAX_URL} characters")
    return Request(method, target, headers, body)


def _segment(value: Value, type_: Type | None, name: str) -> str:
    if isinstance(value, Secret) or (type_ is not None and type_.privacy is Privacy.SECRET):
        raise MisfitError(f"{name} is secret and cannot be sent in an address")
    written = write(value, type_ or TEXT, name)
    if isinstance(written, list | dict):
        raise MisfitError(f"{name} cannot stand in a path")
    text = _query_text(written)
    if text in {"", ".", ".."}:
        raise MisfitError(f"{name} would change the path")
    return quote(_safe(text, name), safe="")


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _safe(text: str, name: str) -> str:
    if any(letter < " " or letter == "\x7f" for letter in text):
        raise MisfitError(f"{name} has control characters and cannot be sent in an address")
    return text


def _header(text: str, title: str) -> str:
    if _HEADER.fullmatch(text) is None:
        raise MisfitError(f"{title} cannot hold this text")
    return text
