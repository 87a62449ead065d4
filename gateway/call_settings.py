"""`agi:` and `asterisk:` of the settings: where calls come in, and the Asterisks through which we call."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.reading.diagnostic import Report
from engine.reading.fields import (
    ADDRESS,
    DURATION,
    STRING,
    Field,
    FieldValue,
    choice,
    list_of,
    whole_number,
)
from engine.reading.scalars import Address

AGI_FIELDS = (
    Field("listen", ADDRESS, default=Address("127.0.0.1", 4573), doc="where Asterisk connects for each call"),
    Field("peers", list_of(STRING), doc="addresses or networks that may connect; not set: this machine"),
    Field("token", STRING, default="", doc="what the dialplan sends as GUDOK_TOKEN; use env.NAME"),
    Field("limit", DURATION, default=1_800_000, doc="the longest a call may talk to flows"),
    Field(
        "reaction",
        DURATION,
        default=500,
        doc="a key so soon after a question has begun is no answer to it where it would cost something",
    ),
    Field("calls", whole_number(1, 100_000), default=2_000, doc="calls at once; more go to the next gateway"),
    Field("sounds", STRING, default="gudok", doc="where Asterisk sees flows/sounds, below its sounds folder"),
    Field("made", STRING, default="gudok-made", doc="where it sees the synthesised speech"),
    Field("recordings", STRING, default="gudok-recordings", doc="where it writes what callers say"),
    Field("cache", STRING, doc="folder of the synthesised speech; not set: speech beside the store"),
    Field("speech", choice("any", "espeak-ng", "festival", "none"), default="any", doc="the synthesiser"),
)

ASTERISK_FIELDS = (
    Field("ami", ADDRESS, default=Address("127.0.0.1", 5038), doc="its manager interface"),
    Field("user", STRING, default="gudok", doc="our name there"),
    Field("secret", STRING, required=True, doc="our password there; use env.NAME"),
    Field("number", STRING, default="", doc="the number of ours that calls; not set: that of the flow"),
    Field("ring", DURATION, default=40_000, doc="how long a call of ours may ring"),
    Field("calls", whole_number(1, 1_000), default=20, doc="calls of ours that may ring at once"),
    Field(
        "callbacks",
        whole_number(0, 1_000),
        default=10,
        doc="callbacks that hold a place in a queue at once, agent first; 0: people call themselves",
    ),
)

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)*", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9]*", re.ASCII)
_NUMBER = re.compile(r"(?:[0-9]{3,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class AgiSettings:
    """`agi:` of the settings: who may connect, and where Asterisk sees our sounds; times in milliseconds.

    `sounds`, `made` and `recordings` are names below the sounds folder of Asterisk. `cache` None is beside
    the store, `speech` is the synthesiser: `any`, `none` or its name.
    """

    host: str = "127.0.0.1"
    port: int = 4573
    peers: tuple[str, ...] = ("127.0.0.1", "::1")
    token: str = field(default="", repr=False)
    limit_ms: int = 1_800_000
    reaction_ms: int = 500
    calls: int = 2_000
    sounds: str = "gudok"
    made: str = "gudok-made"
    recordings: str = "gudok-recordings"
    cache: Path | None = None
    speech: str = "any"


@dataclass(frozen=True, slots=True)
class AsteriskSettings:
    """One Asterisk of the settings: its manager interface, and the calls that we make through it."""

    name: str
    host: str = "127.0.0.1"
    port: int = 5038
    user: str = "gudok"
    secret: str = field(default="", repr=False)
    number: str = ""
    ring_ms: int = 40_000
    calls: int = 20
    callbacks: int = 10


def read_agi(written: Mapping[str, FieldValue] | None, report: Report) -> AgiSettings | None:
    """Read `agi:`, None where there is none; what is wrong is in the report."""
    if written is None:
        return None
    for name in ("sounds", "made", "recordings"):
        _must_fit(written[name], f"agi.{name}", _FOLDER, "a folder below the sounds of Asterisk", report)
    _must_fit(written["token"], "agi.token", _TOKEN, "letters and digits", report)
    peers = []
    for one in written["peers"].value or ():
        try:
            ipaddress.ip_network(one.value)
        except ValueError:
            if not one.value.startswith("env."):
                report.error("type", f"agi.peers: {one.value!r} is no address", one.node, help="10.0.0.0/24")
            continue
        peers.append(one.value)
    address: Address = written["listen"].value
    usual = AgiSettings()
    return AgiSettings(
        host=address.host,
        port=address.port,
        peers=tuple(peers) or usual.peers,
        token=written["token"].value,
        limit_ms=written["limit"].value,
        reaction_ms=written["reaction"].value,
        calls=written["calls"].value,
        sounds=written["sounds"].value,
        made=written["made"].value,
        recordings=written["recordings"].value,
        cache=None if written["cache"].value is None else Path(written["cache"].value),
        speech=written["speech"].value,
    )


def read_asterisk(name: str, written: Mapping[str, FieldValue], report: Report) -> AsteriskSettings | None:
    """Read an entry of `asterisk:`, None without a password; what is wrong is in the report."""
    if written["secret"].value is None:
        return None
    _must_fit(written["number"], f"asterisk.{name}.number", _NUMBER, "a number in digits", report)
    address: Address = written["ami"].value
    return AsteriskSettings(
        name=name,
        host=address.host,
        port=address.port,
        user=written["user"].value,
        secret=written["secret"].value,
        number=written["number"].value,
        ring_ms=written["ring"].value,
        calls=written["calls"].value,
        callbacks=written["callbacks"].value,
    )


def _must_fit(value: FieldValue, name: str, form: re.Pattern[str], what: str, report: Report) -> None:
    """Report a value that Asterisk would read as something else; one that is only named is judged later."""
    if value.node is None or value.value.startswith("env.") or form.fullmatch(value.value):
        return
    report.error("type", f"{name}: {what} is expected", value.node)
