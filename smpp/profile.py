"""What one SMSC wants of SMS: alphabets, parts, addresses, receipts, times. Data, read from the dialect.

The module does not know how the settings are written in a file (`ussd.dialect`) nor what a message says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from smpp.msisdn import ANYWHERE, Country
from smpp.pdu.status import Policy
from smpp.pdu.tlv import Tag, Tlvs
from smpp.shift_table import LANGUAGES

ALPHABETS = ("gsm7", "latin1", "ascii", "utf8", "gsm7-packed")
PART_MODES = ("udh8", "udh16", "sar", "payload")
RECEIPT_IDS = ("exact", "hex-to-dec", "dec-to-hex")
VALIDITY_FORMS = ("relative", "absolute", "none")

OWN_TLVS = frozenset(
    int(tag)
    for tag in (
        Tag.MESSAGE_PAYLOAD, Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM,
        Tag.USER_MESSAGE_REFERENCE, Tag.DEST_ADDR_SUBUNIT,
    )
)  # fmt: skip
"""TLVs that the channel sets by itself: nobody else may."""

MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class SmsProfile:
    """Settings of one SMSC (smpp-ussd.md 2.4, 2.5), each with the value of the specification.

    `alphabet_in` and `alphabet_out` are what data_coding 0 means in each direction. `registered_delivery`
    is 1 for every outcome, 2 for failures, 0 for no receipts. `validity_ms` is how long a message is worth
    sending, `secret_validity_ms` the same for messages that carry a secret. TON and NPI of None are chosen
    by the kind of address. `parts` is the most parts of one message (1 to 255). `priority` is priority_flag
    (0 to 3). `languages` are the national shift tables (1 to 13) that handsets there know. `tlvs` go out with
    every message as they are; the values of `echo_tlvs` are those of the last message of the same
    subscriber to the same number (best effort: they are not remembered over a restart).
    """

    alphabet_in: str = "gsm7"
    alphabet_out: str = "gsm7"
    dcs_gsm7_out: int = 0x00
    dcs_ucs2_out: int = 0x08
    part_mode: str = "udh8"
    parts: int = 10
    service_type: bytes = b""
    receipt_ids: str = "exact"
    registered_delivery: int = 1
    validity_form: str = "relative"
    validity_ms: int = 24 * 60 * MINUTE
    secret_validity_ms: int = 15 * MINUTE
    short_code_ton: int = 0
    short_code_npi: int = 1
    country: Country = ANYWHERE
    status: Mapping[int, Policy] = field(default_factory=lambda: MappingProxyType({}))
    part_wait_ms: int = 15 * MINUTE
    priority: int = 0
    languages: tuple[int, ...] = ()
    tlvs: Tlvs = ()
    echo_tlvs: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("alphabet_in", self.alphabet_in, ALPHABETS),
            ("alphabet_out", self.alphabet_out, ALPHABETS),
            ("part_mode", self.part_mode, PART_MODES),
            ("receipt_ids", self.receipt_ids, RECEIPT_IDS),
            ("validity_form", self.validity_form, VALIDITY_FORMS),
        ):
            if value not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}, not {value!r}")
        if not 1 <= self.parts <= 255:
            raise ValueError(f"parts is from 1 to 255, not {self.parts}")
        if len(self.service_type) > 5:
            raise ValueError("service_type has at most 5 characters")
        for name in (
            "dcs_gsm7_out",
            "dcs_ucs2_out",
            "registered_delivery",
            "short_code_ton",
            "short_code_npi",
        ):
            if not 0 <= getattr(self, name) <= 255:
                raise ValueError(f"{name} is one octet, not {getattr(self, name)}")
        if not 0 <= self.priority <= 3:
            raise ValueError(f"priority is from 0 to 3, not {self.priority}")
        unknown = set(self.languages) - set(LANGUAGES.values())
        if unknown:
            raise ValueError(f"languages are from 1 to 13, not {min(unknown)}")
        if self.languages and self.part_mode not in ("udh8", "udh16"):
            raise ValueError(f"languages need part_mode udh8 or udh16, not {self.part_mode}")
        for name, tags in (("tlvs", {tag for tag, _ in self.tlvs}), ("echo_tlvs", self.echo_tlvs)):
            if tags and not 1 <= min(tags) <= max(tags) <= 0xFFFF:
                raise ValueError(f"{name}: a tag is from 0x0001 to 0xFFFF")
            if tags & OWN_TLVS:
                raise ValueError(f"{name}: 0x{min(tags & OWN_TLVS):04X} is set by the gateway itself")
        if self.validity_ms <= 0 or self.secret_validity_ms <= 0 or self.part_wait_ms <= 0:
            raise ValueError("times are above zero")
