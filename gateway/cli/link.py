"""`gudok link decode`: PDUs explained field by field, from a capture, a file of octets or hexadecimal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from smpp.explain import Explained, explain
from smpp.pdu.wire import HEADER_LENGTH, MAX_PDU
from smpp.text import ALPHABETS

_CAPTURED = re.compile(r"(?P<head>\S+ \S+ \S+ [<>!]) (?P<octets>[0-9a-fA-F]+)\s*$")
_HEX = re.compile(r"[0-9a-fA-F]+\Z")
_BETWEEN = re.compile(r"0x|[\s:,.-]+", re.IGNORECASE)
LONGEST = 64 << 20
"""Octets of a file that is read at most."""


class Found(msgspec.Struct, frozen=True):
    """One PDU to explain; `head` is what the capture says about it, `place` where it was found."""

    octets: bytes
    place: str
    head: str = ""


@click.group()
def link() -> None:
    """Explain what goes over the links to SMSCs."""


@link.command()
@click.argument("what", metavar="FILE|HEX")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each PDU.")
@click.option(
    "--alphabet",
    type=click.Choice(ALPHABETS),
    default="gsm7",
    show_default=True,
    help="What data_coding 0 means there.",
)
@click.option("--errors", is_flag=True, help="Print only PDUs with an error.")
def decode(what: str, as_json: bool, alphabet: str, errors: bool) -> None:
    """Explain every PDU in FILE (a capture, hexadecimal lines or plain octets), or the PDU given as HEX.

    Leaves with status 1 if one of them is broken.
    """
    broken = False
    for found in read(what):
        explained = explain(found.octets, alphabet)
        broken = broken or explained.error is not None
        if errors and explained.error is None:
            continue
        click.echo(as_object(found, explained) if as_json else as_text(found, explained))
    sys.exit(1 if broken else 0)


def read(what: str) -> Iterator[Found]:
    """Find the PDUs of an argument of `decode`. Raises click.ClickException for what is neither."""
    path = Path(what)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):
        # A PDU in hexadecimal is longer than the name of a file may be.
        is_file = False
    if not is_file:
        octets = _from_hex(what)
        if octets is None:
            raise click.ClickException(f"{what[:40]!r} is neither a file nor hexadecimal octets")
        yield from _cut(octets, "octet")
        return
    if path.stat().st_size > LONGEST:
        raise click.ClickException(f"{what} has more than {LONGEST >> 20} MiB; cut it first")
    content = path.read_bytes()
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        yield from _cut(content, "octet")
        return
    yield from _lines(text, what)


def _lines(text: str, file: str) -> Iterator[Found]:
    """Read a capture, or one PDU (or several) in hexadecimal on each line; # begins a remark."""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        captured = _CAPTURED.match(bare)
        if captured is not None and len(captured["octets"]) % 2 == 0:
            yield Found(bytes.fromhex(captured["octets"]), f"{file}:{number}", captured["head"])
            continue
        octets = _from_hex(bare)
        if octets is None:
            raise click.ClickException(f"{file}:{number}: neither a line of a capture nor hexadecimal octets")
        yield from _cut(octets, f"{file}:{number}, octet")


def _from_hex(text: str) -> bytes | None:
    """Read `00000010...`, with or without spaces, colons and 0x."""
    bare = _BETWEEN.sub("", text)
    return bytes.fromhex(bare) if _HEX.match(bare) and len(bare) % 2 == 0 else None


def _cut(octets: bytes, place: str) -> Iterator[Found]:
    """Cut PDUs that follow each other; what is left over, or makes no sense, is the last."""
    start = 0
    while start < len(octets):
        length = int.from_bytes(octets[start : start + 4], "big")
        end = start + length if HEADER_LENGTH <= length <= MAX_PDU else len(octets)
        yield Found(octets[start:end], f"{place} {start}")
        start = end


def as_object(found: Found, explained: Explained) -> str:
    """Return one line of JSON."""
    told = {"place": found.place, "captured": found.head, **msgspec.to_builtins(explained)}
    return json.dumps(told, ensure_ascii=False)


def as_text(found: Found, explained: Explained) -> str:
    """Return the lines for a person: octet, name, value, meaning."""
    lines = [f"{explained.command}  {found.head or found.place}"]
    for item in explained.items:
        note = f"  {item.note}" if item.note else ""
        lines.append(f"  {item.offset:5}  {item.name:<24} {item.value}{note}")
    if explained.text is not None:
        lines.append(f"         text: {explained.text!r}")
    if explained.error is not None:
        lines.append(f"  {explained.error_offset:5}  ERROR: {explained.error}")
    return "\n".join(lines) + "\n"
