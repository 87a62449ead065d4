"""alert_notification: a subscriber can be reached again. It is never answered.

Source: SMPP 3.4 section 4.12.
"""

from typing import ClassVar

import msgspec

from smpp.pdu.command import CommandId
from smpp.pdu.family import Family
from smpp.pdu.mask import mask_address
from smpp.pdu.message import address_field
from smpp.pdu.status import Status
from smpp.pdu.tlv import Tag, Tlvs, first_tlv, read_tlvs, tlv_int, write_tlvs
from smpp.pdu.wire import Reader

ALERT_ADDRESS_MAX = 64


class AlertNotification(msgspec.Struct, frozen=True, gc=False):
    """alert_notification: ``source`` is the subscriber, ``esme`` the address that asked to be told."""

    command_id: ClassVar[CommandId] = CommandId.ALERT_NOTIFICATION
    source_ton: int = 0
    source_npi: int = 0
    source: bytes = b""
    esme_ton: int = 0
    esme_npi: int = 0
    esme: bytes = b""
    tlvs: Tlvs = ()
    oddities: int = 0

    @property
    def availability(self) -> int | None:
        """ms_availability_status: 0 available, 1 denied, 2 unavailable; None if it is not said."""
        value = first_tlv(self.tlvs, Tag.MS_AVAILABILITY_STATUS)
        return tlv_int(value) if value else None

    def __repr__(self) -> str:
        """Show the addresses masked."""
        return f"AlertNotification({mask_address(self.source)} for {mask_address(self.esme)})"


def _read(body: bytes, sequence: int) -> AlertNotification:
    reader = Reader(body, sequence, CommandId.ALERT_NOTIFICATION)
    source_ton, source_npi = reader.octets(2, "source_addr_ton and npi")
    source = reader.cstring(ALERT_ADDRESS_MAX, "source_addr", Status.RINVSRCADR)
    esme_ton, esme_npi = reader.octets(2, "esme_addr_ton and npi")
    esme = reader.cstring(ALERT_ADDRESS_MAX, "esme_addr", Status.RINVDSTADR)
    return AlertNotification(
        source_ton, source_npi, source, esme_ton, esme_npi, esme, *read_tlvs(reader.body, reader.offset)
    )


def _write(alert: AlertNotification) -> bytes:
    return (
        address_field(alert.source_ton, alert.source_npi, alert.source, ALERT_ADDRESS_MAX)
        + address_field(alert.esme_ton, alert.esme_npi, alert.esme, ALERT_ADDRESS_MAX)
        + write_tlvs(alert.tlvs)
    )


FAMILIES = (Family(CommandId.ALERT_NOTIFICATION, AlertNotification, _read, _write),)
