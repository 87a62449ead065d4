"""The GSM 03.38 alphabet, as far as texts must know it: which currency sign spares a page.

One character outside of it makes a whole page UCS-2, which holds less than half (flow-language 2.6). The
octets of the alphabet are not known here.
"""

from __future__ import annotations

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}[]~\\|€\f"
)
"""The characters of the basic table and of its extension."""


def fits(text: str) -> bool:
    """Tell whether every character is in the alphabet."""
    return GSM7.issuperset(text)
