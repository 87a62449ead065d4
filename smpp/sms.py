"""The SMS channel of one SMSC group: messages and receipts in, submit_sm bodies out. Pure.

Order of judgement: receipts first, whatever number they arrive on; then senders that are no subscribers;
then copies (`smpp.duplicates`); then the parts of long messages are joined. Which flow a message starts is
decided by the flow set; before it does, `starting` breaks auto-reply loops. What must survive a restart is in
`Identity`, `HeldPart` and the ids of accepted messages, each with its `restore`.

Source: smpp-ussd.md 2.3-2.5, architecture.md section 3.
"""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import cast

from engine.values import Secret
from smpp.departure import Departures
from smpp.duplicates import Connection, Duplicates, Identity
from smpp.loops import Loops
from smpp.msisdn import TON_ALPHANUMERIC, TON_INTERNATIONAL, address, is_alphanumeric, normal_msisdn
from smpp.parts import HeldPart, Parts, held_part
from smpp.pdu.message import Sm, encode_sm_body
from smpp.pdu.status import Status
from smpp.pdu.tlv import Tag, Tlvs, first_tlv
from smpp.profile import SmsProfile
from smpp.receipt_book import ReceiptBook
from smpp.receipts import Receipt, is_receipt, parse_receipt
from smpp.segments import Dropped, Joined, Mode, split
from smpp.sms_arrival import (
    Duplicate,
    Loop,
    NotARequest,
    PartHeld,
    Receipted,
    Refused,
    SmsArrival,
    SmsArrived,
)

TEXT_MAX = 1_600
"""Characters of one message that a flow is given at most."""
REFERENCES_MOST = 100_000
"""Pairs of addresses whose reference numbers are remembered."""
ECHOES_MOST = 100_000
"""Pairs of addresses whose TLVs are remembered."""

_TYPE_MASK, _RECEIPT_TYPES = 0x3C, (0x04, 0x20)
_FLASH = (int(Tag.DEST_ADDR_SUBUNIT), b"\x01")
_SAR = (int(Tag.SAR_MSG_REF_NUM), int(Tag.SAR_TOTAL_SEGMENTS), int(Tag.SAR_SEGMENT_SEQNUM))
_DUPLICATE = Duplicate()


class SmsChannel:
    """One SMSC, or several binds that share its system_id: the *group*.

    `run` is the start of this process (UTC ms). `key` keys the digests of texts, the same over restarts.
    `duplicates`, `loops` and `receipts` are open to the host for `restore`. `counts` are the arrivals by
    kind and reason, for metrics.
    """

    def __init__(self, profile: SmsProfile, group: str, *, run: int, key: bytes = b"") -> None:
        self.profile = profile
        self.group = group
        self.duplicates = Duplicates(group, run)
        self.departures = Departures()
        self.loops = Loops(key)
        self.receipts = ReceiptBook(profile.receipt_ids)
        self.parts = Parts(group, profile.part_wait_ms, profile.alphabet_in)
        self.counts: Counter[str] = Counter()
        self._hasher = hashlib.blake2b(digest_size=16, key=key[:64])
        self._unstored: set[Identity] = set()
        self._references: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._first_reference = run // 1000
        self._echoes: OrderedDict[tuple[str, str], Tlvs] = OrderedDict()

    # What comes in

    def receive(self, sm: Sm, *, connection: Connection, sequence: int, now: int) -> SmsArrival:
        """Say what a deliver_sm is.

        `connection` is (bind, connection), `sequence` that of the PDU, `now` UTC milliseconds. Never raises.
        """
        if is_receipt(sm):
            return self._receipted(sm, now)
        if sm.esm_class & _TYPE_MASK:
            return self._no_request("acknowledgement")
        profile = self.profile
        msisdn = normal_msisdn(sm.source, sm.source_ton, sm.source_npi, profile.country)
        if msisdn is None:
            return self._no_request(_why_no_subscriber(sm))
        to = sm.dest.decode("ascii", "replace").removeprefix("+")
        identity_key = (sm.source, sm.dest, self._digest(sm))
        departures = self.departures
        read = departures.read((msisdn, to), now)
        if self.duplicates.is_copy(identity_key, connection, sequence, now, read):
            self.counts["duplicate"] += 1
            return _DUPLICATE
        identity = self.duplicates.accept(identity_key, connection, sequence, now, departures.count)
        if profile.echo_tlvs:
            self._remember_echo((msisdn, to), sm.tlvs)
        result, waited = self.parts.add(sm, identity, now)
        if result is None:
            self.counts["part_held"] += 1
            if self._unstored:
                self._unstored = {one for one in self._unstored if one.digest != identity.digest}
            return PartHeld(held_part(sm, identity))
        if isinstance(result, Dropped):
            return self._refused(result, identity)
        self.counts["arrived"] += 1
        return self._arrived(result, msisdn, to, identity, waited)

    def _arrived(
        self, joined: Joined, msisdn: str, to: str, identity: Identity, waited: tuple[HeldPart, ...]
    ) -> SmsArrived:
        for part in waited if self._unstored else ():
            if part.identity in self._unstored:
                self._unstored.discard(part.identity)
                self.duplicates.doubt(part.identity)
        text = joined.text(self.profile.alphabet_in)
        damaged = joined.broken or "\ufffd" in text
        return SmsArrived(msisdn, to, text[:TEXT_MAX], identity, waited, joined.missing, damaged)

    def _receipted(self, sm: Sm, now: int) -> Receipted:
        receipt = parse_receipt(sm)
        certain = (
            sm.esm_class & _TYPE_MASK in _RECEIPT_TYPES
            or first_tlv(sm.tlvs, Tag.RECEIPTED_MESSAGE_ID) is not None
        )
        subscriber = normal_msisdn(sm.source, sm.source_ton, sm.source_npi, self.profile.country) or ""
        key = self.receipts.received(receipt, subscriber, certain, now)
        self.counts["receipt" if key is not None else "receipt_unknown"] += 1
        return Receipted(receipt, key)

    def _no_request(self, reason: str) -> NotARequest:
        self.counts[reason] += 1
        return NotARequest(reason)

    def _refused(self, dropped: Dropped, identity: Identity) -> Refused:
        self.duplicates.forget(identity)
        self.counts[f"part_{dropped.reason}"] += 1
        status = Status.RMSGQFUL if dropped.reason == "full" else Status.RX_P_APPN
        return Refused(int(status), dropped.reason)

    def _digest(self, sm: Sm) -> bytes:
        """Digest what makes two messages equal beside their addresses; a UDH is part of the payload."""
        hasher = self._hasher.copy()
        hasher.update(bytes((sm.data_coding, sm.esm_class & 0x40)))
        if sm.tlvs:
            for tag, value in sm.tlvs:
                if tag in _SAR:
                    hasher.update(b"%d:%d:%b" % (tag, len(value), value))
        hasher.update(sm.payload)
        return hasher.digest()

    def starting(self, arrived: SmsArrived, now: int) -> Loop | None:
        """Ask before a message starts a flow; not when a session waits for it. Call once for a message."""
        reason = self.loops.starting((arrived.msisdn, arrived.to), arrived.text, now)
        if reason is None:
            return None
        self.counts[f"loop_{reason}"] += 1
        return Loop(reason)

    def expired(self, now: int) -> list[SmsArrived]:
        """Give out the messages whose missing parts have not come in time, with what there is of them.

        The host stores each like an arrival and drops its `parts`; `missing` names what never came.
        """
        out = []
        for joined, waited in self.parts.expired(now):
            sm = joined.sm
            msisdn = normal_msisdn(sm.source, sm.source_ton, sm.source_npi, self.profile.country)
            if msisdn is None or not waited:
                continue
            self.counts["incomplete"] += 1
            to = sm.dest.decode("ascii", "replace").removeprefix("+")
            out.append(self._arrived(joined, msisdn, to, waited[0].identity, waited))
        return out

    def undo(self, arrival: SmsArrived | PartHeld, *, started: bool = False) -> None:
        """Take an arrival back whose commit failed. `started`: `starting` had been asked about it."""
        if isinstance(arrival, PartHeld):
            # The part stays where it is: its copy takes its place, or finds the message complete without it.
            self.duplicates.forget(arrival.part.identity)
            self._unstored.add(arrival.part.identity)
            return
        self.duplicates.forget(arrival.identity)
        if arrival.parts:
            self.parts.put_back(arrival.parts)
        if started:
            self.loops.undo((arrival.msisdn, arrival.to))

    # What the host tells about connections

    def written(self, connection: Connection, sequence: int, mark: int) -> None:
        """Take note that deliver_sm_resp 0 of a message was written in the write `mark` (growing numbers)."""
        self.duplicates.written(connection, sequence, mark)

    def confirmed(self, connection: Connection, mark: int) -> None:
        """Take note that the centre has answered a request of ours that was written in the write `mark`."""
        self.duplicates.confirmed(connection, mark)

    def broken(self, connection: Connection) -> None:
        """Take note that a connection is gone."""
        self.duplicates.broken(connection)

    def restore(self, identities: Iterable[Identity], parts: Iterable[HeldPart] = ()) -> None:
        """Take back after a restart: the journal rows of the last 15 minutes, and the parts still waiting."""
        held = tuple(sorted(parts, key=lambda part: part.identity.at))
        self.duplicates.restore([*identities, *(part.identity for part in held)])
        self.parts.put_back(held)

    # What goes out

    def submit(
        self,
        to: str,
        sender: str,
        text: str | Secret,
        *,
        now: int,
        valid_until: int,
        secret: bool = False,
        flash: bool = False,
        user_reference: int | None = None,
    ) -> list[bytes]:
        """Return the submit_sm bodies of a message, one per part, in order.

        `valid_until` (UTC ms) is the end of its validity; `valid_for` makes one. `user_reference` (16 bits)
        is our own id of it in TLV 0x0204. Raises ValueError when the text needs more parts than the profile
        allows, or an address does not fit: nothing is ever cut.
        """
        profile = self.profile
        plain = text.reveal() if isinstance(text, Secret) else text
        source_ton, source_npi, source = address(sender)
        if source_ton not in (TON_INTERNATIONAL, TON_ALPHANUMERIC):
            source_ton, source_npi = profile.short_code_ton, profile.short_code_npi
        dest_ton, dest_npi, dest = address(to)
        parts = split(
            plain,
            cast(Mode, profile.part_mode),
            self._reference(sender, to),
            default_alphabet=profile.alphabet_out,
            default_coding=profile.dcs_gsm7_out,
            ucs2_coding=profile.dcs_ucs2_out,
            languages=profile.languages,
        )
        if len(parts) > profile.parts:
            raise ValueError(f"the text needs {len(parts)} parts, at most {profile.parts} are allowed")
        validity = self._validity(now, valid_until)
        extra: Tlvs = (*profile.tlvs, *self._echoes.get((to, sender), ()), *((_FLASH,) if flash else ()))
        if user_reference is not None:
            extra = (*extra, (int(Tag.USER_MESSAGE_REFERENCE), (user_reference & 0xFFFF).to_bytes(2, "big")))
        return [
            encode_sm_body(
                Sm(
                    service_type=profile.service_type,
                    source_ton=source_ton,
                    source_npi=source_npi,
                    source=source,
                    dest_ton=dest_ton,
                    dest_npi=dest_npi,
                    dest=dest,
                    esm_class=part.esm_class,
                    priority=profile.priority,
                    validity=validity,
                    registered_delivery=profile.registered_delivery,
                    data_coding=part.data_coding,
                    short_message=part.short_message,
                    tlvs=(*part.tlvs, *extra),
                )
            )
            for part in parts
        ]

    def valid_for(self, now: int, secret: bool) -> int:
        """Return when a message that is queued now is no longer worth sending (UTC ms)."""
        return now + (self.profile.secret_validity_ms if secret else self.profile.validity_ms)

    def sent(self, to: str, sender: str, text: str | Secret, now: int, key: str) -> None:
        """Take note that our message `key` leaves, by whatever group: copies and loops are judged by it."""
        self.departures.left((to, sender), key, now)
        self.loops.sent((to, sender), text.reveal() if isinstance(text, Secret) else text, now)

    def taken(self, key: str) -> None:
        """Take note that a centre has answered our message `key`, or a part of it, with status 0."""
        self.departures.taken(key)

    def submitted(self, message_id: bytes, key: str, to: str, now: int) -> list[Receipt]:
        """Take a submit_sm_resp 0 to our message `key`; returns receipts that came before it."""
        if not self.profile.registered_delivery:
            return []
        return self.receipts.submitted(message_id, key, to, now)

    def _remember_echo(self, pair: tuple[str, str], tlvs: Tlvs) -> None:
        """Keep what the next answers to a subscriber carry back; a message without it clears it."""
        wanted = self.profile.echo_tlvs
        self._echoes.pop(pair, None)
        echoed = {tag: value for tag, value in reversed(tlvs) if tag in wanted}
        if echoed:
            self._echoes[pair] = tuple(sorted(echoed.items()))
            if len(self._echoes) > ECHOES_MOST:
                self._echoes.popitem(last=False)

    def _reference(self, sender: str, to: str) -> int:
        """Count up per pair of addresses; from the clock on, so that a restart does not repeat a number."""
        pair = (sender, to)
        reference = self._references.get(pair, self._first_reference) + 1
        self._references[pair] = reference
        self._references.move_to_end(pair)
        if len(self._references) > REFERENCES_MOST:
            self._references.popitem(last=False)
        return reference

    def _validity(self, now: int, valid_until: int) -> bytes:
        """Write validity_period (SMPP 3.4, 7.1.1): relative `…R`, absolute in UTC, or empty."""
        form = self.profile.validity_form
        seconds = max(1, (valid_until - now) // 1000)
        if form == "none":
            return b""
        if form == "absolute":
            return (
                datetime.fromtimestamp(valid_until // 1000, UTC).strftime("%y%m%d%H%M%S000+").encode("ascii")
            )
        days, rest = divmod(min(seconds, 360 * 86_400), 86_400)
        months, days = divmod(days, 30)
        return b"00%02d%02d%02d%02d%02d000R" % (months, days, rest // 3600, rest // 60 % 60, rest % 60)


def _why_no_subscriber(sm: Sm) -> str:
    if not sm.source:
        return "no_sender"
    return "alphanumeric_sender" if is_alphanumeric(sm.source, sm.source_ton) else "short_code_sender"
