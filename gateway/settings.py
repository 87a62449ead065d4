"""`config/gateway.yaml`: where the gateway listens, what it stores in, which centres it is bound to.

Read by the same located loader as flows, so a mistake is shown with its line and a remedy; any value can be
overridden by the environment (`gateway.environment`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.reading.diagnostic import Place, Report, place_of
from engine.reading.fields import (
    ADDRESS,
    BOOLEAN,
    DURATION,
    NAME,
    RATE,
    SIZE,
    STRING,
    Field,
    FieldValue,
    choice,
    holds_list,
    list_of,
    map_of,
    nested,
    read_fields,
    whole_number,
)
from engine.reading.scalars import Address, Rate
from engine.reading.suggestion import suggestion
from engine.reading.tree import Entry, Node, Table, Text
from engine.reading.yaml_text import read_tree
from gateway.environment import listed, override, resolve
from smpp.settings import LinkSettings, Mode, Secret, Timers, Tls

FILE = "config/gateway.yaml"
SMSC_CARRIES = ("ussd", "sms")
SHORTEST_KEY = 16

LINK_FIELDS = (
    Field("host", STRING, required=True, doc="name or address of the SMSC or USSD centre"),
    Field("port", whole_number(1, 65_535), default=2775, doc="its TCP port"),
    Field("system_id", STRING, default="", doc="our name there, at most 15 characters"),
    Field("password", STRING, default="", doc="at most 8 characters; use env.NAME"),
    Field("system_type", STRING, default="", doc="what some centres want beside the name"),
    Field("mode", choice("transceiver", "transmitter+receiver"), default="transceiver", doc="how to bind"),
    Field("binds", whole_number(1, 64), default=1, doc="connections (or pairs) kept at once"),
    Field("window", whole_number(1, 10_000), default=10, doc="requests without an answer yet, per bind"),
    Field("rate", RATE, doc="messages a second at most; not set: as many as the centre takes"),
    Field("dialect", NAME, default="standard", doc="config/dialects/<name>.yaml"),
    Field("carries", list_of(choice(*SMSC_CARRIES)), doc="what leaves here: ussd, sms"),
    Field("numbers", list_of(STRING), doc="short codes whose SMS must leave here; empty: any"),
    Field(
        "bulk", whole_number(1, 90), default=50, doc="the most of rate, per cent, that unasked SMS may take"
    ),
    Field("response", DURATION, default=30_000, doc="how long a request may stay unanswered"),
    Field("enquire", DURATION, default=30_000, doc="idle time before enquire_link"),
    Field("capture", STRING, doc="file for every PDU, without passwords, numbers and texts: data/main.cap"),
    Field("tls", BOOLEAN, default=False, doc="TLS from the first octet; the certificate is checked"),
    Field("tls_ca", STRING, doc="file with the certificates to trust; not set: those of the system"),
    Field("tls_name", STRING, doc="name in the centre's certificate; not set: host"),
    Field("tls_certificate", STRING, doc="file with our own certificate"),
    Field("tls_key", STRING, doc="file with the key of our certificate"),
)

EVENT_FIELDS = (
    Field("secret", STRING, required=True, doc="key of the signatures, 16 characters or more; use env.NAME"),
    Field("previous", STRING, doc="the key of before, still taken while senders change to the new one"),
    Field("pace", RATE, default=Rate(20, 1_000), doc="how fast the elements of `each` are begun"),
)

EDR_FIELDS = (
    Field("write", BOOLEAN, default=True, doc="whether a record is kept of every session"),
    Field("folder", STRING, doc="where the files are written; not set: edr beside the store"),
    Field(
        "numbers", choice("masked", "full"), default="masked", doc="how the subscriber's number is written"
    ),
    Field("keep", DURATION, default=3 * 365 * 86_400_000, doc="how long the records stay in the store"),
    Field("every", DURATION, default=3_600_000, doc="a file is closed after so long"),
    Field("size", SIZE, default=64 << 20, doc="a file is closed when it has grown so large"),
)

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

FIELDS = (
    Field("store", STRING, default="sqlite:data/gudok.db", doc="sqlite:<file>"),
    Field("secret_key", STRING, doc="64 hexadecimal digits; not set: data/secret.key, made at the start"),
    Field("http", ADDRESS, default=Address("127.0.0.1", 8080), doc="/metrics, /healthz, /readyz"),
    Field("http_token", STRING, doc="what beyond loopback opens the pages; not set: this machine only"),
    Field(
        "events", nested(EVENT_FIELDS, "events"), doc="events from outside; not set: POST /events is closed"
    ),
    Field("edr", nested(EDR_FIELDS, "edr"), doc="the records of sessions"),
    Field("log", choice("debug", "info", "warning", "error"), default="info", doc="least level logged"),
    Field("drain", DURATION, default=10_000, doc="how long running requests may take at the end"),
    Field(
        "charging",
        BOOLEAN,
        default=True,
        doc="no: requests that charge give unavailable; for a second gateway with a store of its own",
    ),
    Field("smpp", map_of(nested(LINK_FIELDS, "an smpp link")), doc="one entry for each centre"),
    Field("agi", nested(AGI_FIELDS, "agi"), doc="calls; not set: none are taken"),
    Field("asterisk", map_of(nested(ASTERISK_FIELDS, "an asterisk")), doc="one entry for each Asterisk"),
)


_TABLES = (FIELDS, LINK_FIELDS, EVENT_FIELDS, EDR_FIELDS, AGI_FIELDS, ASTERISK_FIELDS)
_OPTIONAL = frozenset(field.name for table in _TABLES for field in table if not field.required)
_ONLY_SERVING = ("smpp", "events", "agi", "asterisk")
_LISTS = frozenset(field.name for field in (*LINK_FIELDS, *AGI_FIELDS) if holds_list(field.kind))


@dataclass(frozen=True, slots=True)
class Centre:
    """One SMSC or USSD centre of the settings."""

    name: str
    link: LinkSettings
    dialect: str = "standard"
    carries: frozenset[str] = frozenset(SMSC_CARRIES)
    numbers: frozenset[str] = frozenset()
    bulk: int = 50
    capture: Path | None = None
    """File that keeps every PDU, None for none; relative to the project."""
    place: Place = field(default=Place(FILE, 1, 1), compare=False)
    """Where its dialect is written, or its name."""


@dataclass(frozen=True, slots=True)
class EventSettings:
    """`events:` of the settings: the keys of signatures, the present one first, and starts a second."""

    keys: tuple[bytes, ...] = field(repr=False)
    pace: float = 20.0


@dataclass(frozen=True, slots=True)
class DetailSettings:
    """`edr:` of the settings; times in milliseconds, `size` in octets; `folder` None is beside the store."""

    write: bool = True
    folder: Path | None = None
    full_numbers: bool = False
    keep_ms: int = 3 * 365 * 86_400_000
    every_ms: int = 3_600_000
    size: int = 64 << 20


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


@dataclass(frozen=True, slots=True)
class Settings:
    """What `config/gateway.yaml` says, with the environment put in. Paths are relative to the project."""

    store: Path = Path("data/gudok.db")
    secret_key: bytes | None = field(default=None, repr=False)
    http_host: str = "127.0.0.1"
    http_port: int = 8080
    http_token: str | None = field(default=None, repr=False)
    events: EventSettings | None = None
    edr: DetailSettings = DetailSettings()
    log: str = "info"
    drain_ms: int = 10_000
    charging: bool = True
    centres: tuple[Centre, ...] = ()
    agi: AgiSettings | None = None
    asterisk: tuple[AsteriskSettings, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)


def read_settings(
    text: str,
    environment: Mapping[str, str] | None,
    report: Report,
    *,
    file: str = FILE,
    serving: bool = True,
) -> Settings | None:
    """Read the settings; None when there are errors, all of which are in the report.

    With `environment` None only the file is judged: every `env.NAME` in it counts as given. Who looks at a
    store or asks the running gateway is not `serving`: then the variables of links, events and calls may be
    missing, so that staff needs none of those passwords, and what stands for them must not be used.
    """
    before = len(report)
    tree = read_tree(text, file, report)
    if not isinstance(tree, Table):
        if len(report) == before:
            report.error("type", "the settings are a table (key: value)", tree) if tree is not None else None
        return None
    tree, origins = overridden(tree, environment or {}, report)
    for name in () if serving else _ONLY_SERVING:
        part = tree.get(name)
        if part is not None:
            tree = tree.replaced(name, resolve(part, None, report, optional=_OPTIONAL), part.place)
    resolved = resolve(tree, environment, report, optional=_OPTIONAL)
    assert isinstance(resolved, Table)
    values = read_fields(resolved, FIELDS, report, "the settings")
    centres = []
    for name, written in (values["smpp"].value or {}).items():
        centre = _read_centre(name, written, report)
        if centre is not None:
            centres.append(centre)
    store = _read_store(values["store"], report)
    key = _read_key(values["secret_key"], report)
    token = _read_token(values["http_token"], report)
    events = _read_events(values["events"].value, report, given=serving and environment is not None)
    agi = _read_agi(values["agi"].value, report)
    asterisk = [
        one
        for name, written in (values["asterisk"].value or {}).items()
        if (one := _read_asterisk(name, written.value, report)) is not None
    ]
    if report.has_errors:
        return None
    address: Address = values["http"].value
    return Settings(
        store=store,
        secret_key=key,
        http_host=address.host,
        http_port=address.port,
        http_token=token,
        events=events,
        edr=_read_details(values["edr"].value),
        log=values["log"].value,
        drain_ms=values["drain"].value,
        charging=values["charging"].value,
        centres=tuple(centres),
        agi=agi,
        asterisk=tuple(asterisk),
        origins=origins,
    )


def overridden(tree: Table, environment: Mapping[str, str], report: Report) -> tuple[Table, dict[str, str]]:
    """Return the settings with every `GUDOK_…` put in, and where each came from (path -> variable).

    A link that only the environment has and whose name is like one of the file is the error `unknown-field`:
    a misspelt variable would bind to a centre nobody meant, and leave the real link as it was.
    """
    before = tree.get("smpp")
    known = [entry.key.value for entry in before] if isinstance(before, Table) else []
    tree, origins = override(tree, environment)
    agi = tree.get("agi")
    if isinstance(agi, Table):
        tree = tree.replaced("agi", _with_lists(agi))
    links = tree.get("smpp")
    if not isinstance(links, Table):
        return tree, origins
    kept = []
    for entry in links:
        name = entry.key.value
        near = None if name in known else _misspelt(name, known)
        if near is not None:
            report.error(
                "unknown-field",
                f'the settings have no link "{name}"; did you mean "{near}"?',
                entry.key,
                help=f"write the link {name} in {FILE} if it is another one",
            )
        else:
            kept.append(Entry(entry.key, _with_lists(entry.value)))
    return tree.replaced("smpp", Table(tuple(kept), links.place, links.flow)), origins


def _misspelt(name: str, known: list[str]) -> str | None:
    """Return the link that was meant; names that differ in their number alone are different links."""
    letters = name.rstrip("0123456789")
    return suggestion(name, (one for one in known if letters == name or one.rstrip("0123456789") != letters))


def _with_lists(link: Node) -> Node:
    """Return a link whose lists, where the environment has them, are lists: `ussd,sms`."""
    if not isinstance(link, Table):
        return link
    entries = (
        Entry(entry.key, listed(entry.value)) if entry.key.value in _LISTS else entry for entry in link
    )
    return Table(tuple(entries), link.place, link.flow)


def _read_store(value: FieldValue, report: Report) -> Path:
    text: str = value.value
    if not text.startswith("sqlite:") or text == "sqlite:":
        where = value.node
        if where is not None:
            report.error(
                "type", f"store: there is no store {text!r}", where, help="write sqlite:data/gudok.db"
            )
        return Path()
    return Path(text.removeprefix("sqlite:"))


def _read_key(value: FieldValue, report: Report) -> bytes | None:
    if value.value is None or value.node is None:
        return None
    try:
        key = bytes.fromhex(value.value)
    except ValueError:
        key = b""
    if len(key) != 32:
        report.error(
            "type",
            "secret_key: 64 hexadecimal digits are expected",
            value.node,
            help='make one: python3 -c "import secrets; print(secrets.token_hex(32))"',
        )
        return None
    return key


def _read_token(value: FieldValue, report: Report) -> str | None:
    if value.value is None or value.node is None:
        return None
    return value.value if _is_long(value, "http_token", report) else None


def _is_long(value: FieldValue, name: str, report: Report) -> bool:
    """Tell whether a key cannot be guessed in a life, as far as its length can tell."""
    if len(value.value) >= SHORTEST_KEY:
        return True
    assert value.node is not None
    report.error(
        "type",
        f"{name}: {SHORTEST_KEY} characters or more are expected",
        value.node,
        help='make one: python3 -c "import secrets; print(secrets.token_hex(32))"',
    )
    return False


def _read_events(
    written: Mapping[str, FieldValue] | None, report: Report, *, given: bool
) -> EventSettings | None:
    """Read `events:`; the keys are judged where they are `given`, and not only named."""
    if written is None or written["secret"].value is None:
        return None
    keys = [(name, written[name]) for name in ("secret", "previous") if written[name].value is not None]
    short = [name for name, key in keys if given and not _is_long(key, f"events.{name}", report)]
    if short:
        return None
    return EventSettings(tuple(key.value.encode() for _, key in keys), written["pace"].value.per_second)


def _read_details(written: Mapping[str, FieldValue] | None) -> DetailSettings:
    if written is None:
        return DetailSettings()
    return DetailSettings(
        write=written["write"].value,
        folder=None if written["folder"].value is None else Path(written["folder"].value),
        full_numbers=written["numbers"].value == "full",
        keep_ms=written["keep"].value,
        every_ms=written["every"].value,
        size=written["size"].value,
    )


_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.-]*)*", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9]*", re.ASCII)
_NUMBER = re.compile(r"(?:[0-9]{3,15})?", re.ASCII)


def _read_agi(written: Mapping[str, FieldValue] | None, report: Report) -> AgiSettings | None:
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


def _read_asterisk(name: str, written: Mapping[str, FieldValue], report: Report) -> AsteriskSettings | None:
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


def _read_centre(name: str, written: FieldValue, report: Report) -> Centre | None:
    values: dict[str, FieldValue] = written.value
    if values["host"].value is None:
        return None
    tls = None
    if values["tls"].value:
        tls = Tls(
            ca_file=values["tls_ca"].value,
            server_name=values["tls_name"].value,
            certificate_file=values["tls_certificate"].value,
            key_file=values["tls_key"].value,
        )
    rate = values["rate"].value
    try:
        link = LinkSettings(
            host=values["host"].value,
            port=values["port"].value,
            system_id=values["system_id"].value,
            password=Secret(values["password"].value),
            system_type=values["system_type"].value,
            mode=Mode(values["mode"].value),
            binds=values["binds"].value,
            window=values["window"].value,
            rate=None if rate is None else rate.per_second,
            timers=Timers(response_ms=values["response"].value, enquire_after_ms=values["enquire"].value),
            tls=tls,
        )
    except ValueError as fault:
        # A password is never part of the sentence (smpp.settings).
        assert written.key is not None
        report.error("type", f"smpp.{name}: {fault}", _place_of_fault(str(fault), values, written.key))
        return None
    carried = values["carries"].value
    return Centre(
        name=name,
        link=link,
        dialect=values["dialect"].value,
        carries=frozenset(SMSC_CARRIES if carried is None else (one.value for one in carried)),
        numbers=frozenset(one.value for one in values["numbers"].value or ()),
        bulk=values["bulk"].value,
        capture=Path(values["capture"].value) if values["capture"].value else None,
        place=place_of(values["dialect"].node or written.key or Place(FILE, 1, 1)),
    )


def _place_of_fault(sentence: str, values: dict[str, FieldValue], key: Text) -> Text:
    """Find the field that a sentence of `smpp.settings` begins with."""
    value = values.get(sentence.split(" ", 1)[0])
    return value.node if value is not None and isinstance(value.node, Text) else key
