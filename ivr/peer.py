"""The address of the other side of a connection, as it is compared."""

from __future__ import annotations

import ipaddress


def peer_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an address without its zone, an IPv4 one inside an IPv6 one as itself.

    Raises ValueError for what is none.
    """
    known = ipaddress.ip_address(text.partition("%")[0])
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    return mapped or known
