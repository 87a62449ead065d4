"""The centres that carry SMS, and which of them takes a message."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import msgspec

from smpp.links import Link
from smpp.sms import SmsChannel


class Carrier(msgspec.Struct, frozen=True):
    """A centre that carries SMS: its link, its channel, and the short codes that must leave there."""

    link: Link
    channel: SmsChannel
    numbers: frozenset[str]


class Carriers:
    """All of them, in the order of the settings."""

    def __init__(self) -> None:
        self._all: list[Carrier] = []

    def __iter__(self) -> Iterator[Carrier]:
        return iter(self._all)

    def add(self, carrier: Carrier) -> None:
        """Let messages leave through a centre."""
        self._all.append(carrier)

    def of(self, sender: str, without: Collection[str] = ()) -> Carrier | None:
        """Choose the centre of a sender: one that names the number before one that takes any, bound first.

        Centres named in `without` come after all others.
        """
        able = [one for one in self._all if sender in one.numbers]
        able = able or [one for one in self._all if not one.numbers]
        willing = [one for one in able if one.link.name not in without] or able
        return next((one for one in willing if one.link.bound), willing[0] if willing else None)

    def other_way(self, sender: str, refused_by: Collection[str], *, than: Carrier) -> bool:
        """Tell whether another bound centre would take a message that this one does not.

        Those in `refused_by` have refused it already.
        """
        other = self.of(sender, {than.link.name, *refused_by})
        return (
            other is not None and other is not than and other.link.bound and other.link.name not in refused_by
        )
