"""Secrets at rest: AES-256-GCM over single values, bound to the row they belong to.

It knows nothing of tables. The key comes from the setting `secret_key` or from a file that only its owner
may read; who has the file and the database has the secrets, who has only the database has none.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.store.error import SealError, StoreError

KEY_LENGTH = 32
_NONCE_LENGTH = 12
_VERSION = b"\x01"


class Sealer:
    """Seals and opens values with one 32-octet key.

    A sealed value is one version octet, a random nonce of 12 octets and the cipher text with its tag.
    `context` (the row's identity) is authenticated: a value copied into another row does not open.
    """

    __slots__ = ("_cipher", "_key")

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_LENGTH:
            raise StoreError(f"secret_key must have {KEY_LENGTH} octets, not {len(key)}")
        self._key = key
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return "Sealer(••••)"

    def seal(self, value: bytes, context: bytes) -> bytes:
        """Return `value` encrypted for the place `context`."""
        nonce = os.urandom(_NONCE_LENGTH)
        return _VERSION + nonce + self._cipher.encrypt(nonce, value, _VERSION + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Return the value that `seal` was given; raises SealError if it is not that value of that place."""
        if sealed[:1] != _VERSION:
            raise SealError("a sealed value has an unknown form")
        try:
            return self._cipher.decrypt(
                sealed[1 : 1 + _NONCE_LENGTH], sealed[1 + _NONCE_LENGTH :], _VERSION + context
            )
        except (InvalidTag, ValueError):
            raise SealError("a sealed value does not open: was secret_key changed?") from None

    def derive(self, purpose: str) -> bytes:
        """Return another key of 32 octets for `purpose`, always the same for one secret key."""
        return hashlib.blake2b(purpose.encode(), key=self._key, digest_size=32, person=b"gudok").digest()


def read_key(text: str) -> bytes:
    """Read a key from a setting: 64 hexadecimal digits or base64 of 32 octets; raises StoreError."""
    cleaned = text.strip()
    if len(cleaned) == 2 * KEY_LENGTH:
        with contextlib.suppress(ValueError):
            return bytes.fromhex(cleaned)
    try:
        key = base64.b64decode(cleaned, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_LENGTH:
        raise StoreError("secret_key must be 64 hexadecimal digits or 32 octets in base64")
    return key


def load_or_make_key(path: Path) -> bytes:
    """Return the key kept in `path`; the first start makes it, readable by its owner only.

    Raises StoreError if others may read the file or if it holds no key. A file cut short by a crash is an
    error too: a new key would silently make every sealed value unreadable.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return _load_key(path)
    key = os.urandom(KEY_LENGTH)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return key


def _load_key(path: Path) -> bytes:
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise StoreError(f"{path} is not a file")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise StoreError(f"{path} can be read by others: chmod 600 {path}")
    try:
        return read_key(path.read_text(encoding="ascii"))
    except (StoreError, UnicodeDecodeError):
        raise StoreError(f"{path} holds no key: restore it from a backup") from None
