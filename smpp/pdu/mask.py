"""How an address is shown in a log: never whole if it may be a subscriber's number."""


def mask_address(address: bytes) -> str:
    """Mask an address: ``79161234567`` becomes ``7916***4567``.

    Short codes (up to 6 digits) and alphanumeric senders are no secrets and are shown; octets that are not
    printable ASCII become ``?``.
    """
    text = "".join(chr(octet) if 0x20 < octet < 0x7F else "?" for octet in address)
    if len(text) <= 6 or not any(char.isdigit() for char in text):
        return text
    if len(text) <= 10:
        return f"***{text[-4:]}"
    return f"{text[:4]}***{text[-4:]}"
