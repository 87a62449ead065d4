"""A centre as the USSD lane sees it: its link, its channel, and the dialogs whose messages are known.

A message is known by how it begins, see `ussd.short_way`. What is done about it, `gateway.host.ussd_known`
says.
"""

from __future__ import annotations

import msgspec

from engine.session import Waiting
from gateway.host.conversation import Conversation
from smpp.event import Inbound
from smpp.links import Link
from smpp.pdu.command import CommandId
from smpp.pdu.message import Sm
from ussd.centre import UssdChannel
from ussd.dialog import Dialog, Key
from ussd.short_way import ShortWay

_ENDED = Waiting.ENDED
_DELIVER = int(CommandId.DELIVER_SM)


class Live(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A dialog whose messages are known by how they begin, with what its pages need each time.

    `size` is the length of what they begin with.
    """

    conversation: Conversation
    key: Key
    msisdn: bytes
    dest: bytes
    size: int


class Way(msgspec.Struct, frozen=True, gc=False):
    """One centre, and how messages of its live dialogs begin."""

    link: Link
    channel: UssdChannel
    short: ShortWay[Live]

    def remember(self, event: Inbound, sm: Sm, dialog: Dialog, conversation: Conversation) -> bytes:
        """Remember how the messages of a dialog look; returns how they begin, b"" if that says nothing."""
        if event.command_id != _DELIVER or conversation.session.waiting is _ENDED:
            return b""
        head = self.short.head(event.body, sm)
        if head:
            self.know(head, dialog, conversation)
        return head

    def know(self, head: bytes, dialog: Dialog, conversation: Conversation) -> None:
        """Let messages that begin so be those of a dialog."""
        heads = self.short.heads
        if head != conversation.head or head not in heads:
            if conversation.head:
                self.forget(conversation)
            conversation.head = head
            key = (dialog.group, dialog.msisdn)
            heads[head] = Live(conversation, key, dialog.msisdn.encode(), dialog.dest, len(head))

    def forget(self, conversation: Conversation) -> None:
        """Have a dialog that is over, or looks otherwise now, take the long way."""
        live = self.short.heads.get(conversation.head)
        if live is not None and live.conversation is conversation:
            del self.short.heads[conversation.head]
