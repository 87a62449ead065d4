"""`smpp:` of the settings: an SMSC or a USSD centre, how we bind to it and what leaves there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from engine.reading.diagnostic import Place, Report, place_of
from engine.reading.fields import (
    BOOLEAN,
    DURATION,
    NAME,
    RATE,
    STRING,
    Field,
    FieldValue,
    choice,
    list_of,
    whole_number,
)
from engine.reading.tree import Text
from gateway.project_files import SETTINGS
from smpp.settings import LinkSettings, Mode, Secret, Timers, Tls

SMSC_CARRIES = ("ussd", "sms")

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
    place: Place = field(default=Place(SETTINGS, 1, 1), compare=False)
    """Where its dialect is written, or its name."""


def read_centre(name: str, written: FieldValue, report: Report) -> Centre | None:
    """Read an entry of `smpp:`; None when it is not complete, or when the report says what is wrong."""
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
        place=place_of(values["dialect"].node or written.key or Place(SETTINGS, 1, 1)),
    )


def _place_of_fault(sentence: str, values: dict[str, FieldValue], key: Text) -> Text:
    """Find the field that a sentence of `smpp.settings` begins with."""
    value = values.get(sentence.split(" ", 1)[0])
    return value.node if value is not None and isinstance(value.node, Text) else key
