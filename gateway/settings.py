"""`config/gateway.yaml`: where the gateway listens, what it stores in, which centres it is bound to.

Read by the same located loader as flows, so a mistake is shown with its line and a remedy; any value can be
overridden by the environment (`gateway.environment`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.reading.diagnostic import Report
from engine.reading.fields import (
    ADDRESS,
    BOOLEAN,
    DURATION,
    RATE,
    SIZE,
    STRING,
    Field,
    FieldValue,
    choice,
    holds_list,
    map_of,
    nested,
    read_fields,
)
from engine.reading.scalars import Address, Rate
from engine.reading.suggestion import suggestion
from engine.reading.tree import Entry, Node, Table
from engine.reading.yaml_text import read_tree
from gateway.call_settings import (
    AGI_FIELDS,
    ASTERISK_FIELDS,
    AgiSettings,
    AsteriskSettings,
    read_agi,
    read_asterisk,
)
from gateway.centre_settings import LINK_FIELDS, Centre, read_centre
from gateway.environment import listed, override, resolve
from gateway.project_files import SETTINGS

SHORTEST_KEY = 16

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
    file: str = SETTINGS,
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
        centre = read_centre(name, written, report)
        if centre is not None:
            centres.append(centre)
    store = _read_store(values["store"], report)
    key = _read_key(values["secret_key"], report)
    token = _read_token(values["http_token"], report)
    events = _read_events(values["events"].value, report, given=serving and environment is not None)
    agi = read_agi(values["agi"].value, report)
    asterisk = [
        one
        for name, written in (values["asterisk"].value or {}).items()
        if (one := read_asterisk(name, written.value, report)) is not None
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
                help=f"write the link {name} in {SETTINGS} if it is another one",
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
