"""What can go wrong with the store, in words the person on duty can act on."""

from __future__ import annotations


class StoreError(Exception):
    """The store cannot be used as asked; the message says what to do."""


class StoreLockedError(StoreError):
    """Another process owns the database file."""


class StoreDamagedError(StoreError):
    """The file is no database of ours, was written by a newer version, or is broken."""


class SealError(StoreError):
    """A sealed value cannot be opened: wrong key, another row's value, or damage."""
