"""The user data header in front of a short message: information elements, bounds checked.

Source: 3GPP TS 23.040 section 9.2.3.24. Understands concatenation (0x00, 0x08) and the national language
shifts (0x24, 0x25); every other element is kept raw and ignored.
"""

import msgspec

CONCAT_8 = 0x00
CONCAT_16 = 0x08
SINGLE_SHIFT = 0x24
LOCKING_SHIFT = 0x25

UDHI = 0x40
"""The bit of esm_class that says a header is there."""


class Udh(msgspec.Struct, frozen=True, gc=False):
    """A header that was read."""

    length: int
    """Octets of the header, its length octet included: the text begins there."""
    elements: tuple[tuple[int, bytes], ...]

    def element(self, identifier: int) -> bytes | None:
        """Return the data of the last element with this identifier (9.2.3.24: the last one counts)."""
        for found, data in reversed(self.elements):
            if found == identifier:
                return data
        return None

    @property
    def locking(self) -> int:
        """National language of the locking shift, 0 if none."""
        data = self.element(LOCKING_SHIFT)
        return data[0] if data else 0

    @property
    def single(self) -> int:
        """National language of the single shift, 0 if none."""
        data = self.element(SINGLE_SHIFT)
        return data[0] if data else 0


def fill_bits(header: int) -> int:
    """Zero bits between a header of so many octets and the first packed septet behind it."""
    return -header * 8 % 7


def shift_elements(locking: int, single: int) -> bytes:
    """Encode the shift elements of a header; b"" without shifts (9.2.3.24.15 and .16)."""
    octets = bytes((SINGLE_SHIFT, 1, single)) if single else b""
    return octets + bytes((LOCKING_SHIFT, 1, locking)) if locking else octets


def read_udh(payload: bytes) -> Udh | None:
    """Read the header at the start of a payload; None if it runs over its bounds. Never raises."""
    if not payload:
        return None
    end = payload[0] + 1
    if end > len(payload):
        return None
    elements: list[tuple[int, bytes]] = []
    offset = 1
    while offset < end:
        if offset + 2 > end:
            return None
        identifier = payload[offset]
        after = offset + 2 + payload[offset + 1]
        if after > end:
            return None
        elements.append((identifier, payload[offset + 2 : after]))
        offset = after
    return Udh(end, tuple(elements))
