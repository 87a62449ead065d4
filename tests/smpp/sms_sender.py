"""A subscriber and an SMSC in front of the SMS channel, with a hand clock."""

from __future__ import annotations

from smpp.pdu.message import DeliverSm, Sm, decode_sm, encode_sm_body
from smpp.profile import SmsProfile
from smpp.sms import SmsChannel
from smpp.sms_arrival import SmsArrival, SmsArrived

MSISDN = "79161234567"
CODE = "9290"
RUN = 1_700_000_000_000


def message(text: str | bytes = "Привет", **fields: object) -> Sm:
    """A deliver_sm to 9290 as it comes over the wire; a text is UCS-2, bytes are GSM-7."""
    octets, data_coding = (text, 0) if isinstance(text, bytes) else (text.encode("utf-16-be"), 8)
    values = {
        "source_ton": 1, "source_npi": 1, "source": MSISDN.encode(), "dest_ton": 0, "dest_npi": 1,
        "dest": CODE.encode(), "data_coding": data_coding, "short_message": octets,
    }  # fmt: skip
    return decode_sm(encode_sm_body(DeliverSm(**{**values, **fields})), 1, 5)  # type: ignore[arg-type]


class Sender:
    """Feeds one channel; sequence numbers count up, time moves by hand."""

    def __init__(self, profile: SmsProfile | None = None, run: int = RUN) -> None:
        self.channel = SmsChannel(profile or SmsProfile(), "main", run=run)
        self.now = run + 1_000
        self.sequence = 0
        self.sent = 0
        self.connection = (0, 1)

    def give(
        self, sm: Sm, *, sequence: int | None = None, connection: tuple[int, int] | None = None
    ) -> SmsArrival:
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        return self.channel.receive(
            sm, connection=connection or self.connection, sequence=sequence, now=self.now
        )

    def text(self, text: str | bytes = "Привет", **fields: object) -> SmsArrival:
        return self.give(message(text, **fields))

    def arrive(self, text: str | bytes = "Привет", **fields: object) -> SmsArrived:
        arrival = self.text(text, **fields)
        assert isinstance(arrival, SmsArrived), arrival
        return arrival

    def answer(self, text: str = "Пакет обновлён") -> None:
        """Send something of ours to the subscriber from 9290; the centre takes it."""
        self.sent += 1
        self.channel.sent(MSISDN, CODE, text, self.now, str(self.sent))
        self.channel.taken(str(self.sent))
