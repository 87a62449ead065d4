"""`X-Gudok-Signature: t=<unix seconds>,v1=<hex>`: who sent an event, and that it was not kept for later.

`v1` is HMAC-SHA256 of `<t>.<body>` with the key that sender and gateway share. Several `v1` may stand in one
header, and several keys may be good at once, so that a key can be changed without losing an event.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

HEADER = "X-Gudok-Signature"
TOLERANCE_S = 300
"""How far the sender's clock may be from ours, and how old an event may be on arrival."""
MOST_SIGNATURES = 4
"""Signatures of one header that are looked at."""


def sign(key: bytes, body: bytes, at_s: int) -> str:
    """Return the header of an event sent at `at_s` (unix seconds)."""
    return f"t={at_s},v1={_mac(key, body, at_s)}"


def complaint(header: str | None, body: bytes, keys: Iterable[bytes], now_s: int) -> str | None:
    """Say why a signature is not good, None for a good one. The time taken does not tell which key fits."""
    if not header:
        return f"{HEADER} is missing"
    at_s, given = _read(header)
    if at_s is None or not given:
        return f"{HEADER} is not t=<unix seconds>,v1=<hex>"
    good = [hmac.compare_digest(_mac(key, body, at_s).encode(), one) for key in keys for one in given]
    if not any(good):
        return "the signature does not fit the body and the key"
    if abs(now_s - at_s) > TOLERANCE_S:
        return f"the time of the signature is more than {TOLERANCE_S} s from ours"
    return None


def _mac(key: bytes, body: bytes, at_s: int) -> str:
    return hmac.new(key, b"%d.%b" % (at_s, body), hashlib.sha256).hexdigest()


def _read(header: str) -> tuple[int | None, list[bytes]]:
    at_s: int | None = None
    given: list[bytes] = []
    for part in header.split(",")[: MOST_SIGNATURES + 1]:
        name, _, value = part.strip().partition("=")
        if name == "t" and at_s is None and value.isascii() and value.isdigit() and len(value) <= 12:
            at_s = int(value)
        elif name == "v1":
            given.append(value.encode("utf-8", "surrogatepass"))
    return at_s, given
