"""The channel against every dialect of our own test centre: both must read each other's messages."""

from __future__ import annotations

import pytest

from smpp.pdu.message import decode_sm, encode_sm_body
from smpp.testing.dialect import COMVERSE, DIALECTS, CentreDialect
from ussd.arrival import Aborted, Answered, Dialled
from ussd.centre import UssdChannel
from ussd.dialect import Dialect
from ussd.dialog import Dialogs

MSISDN = "79161234567"


class Handset:
    """One subscriber at the test centre."""

    def __init__(self, centre: CentreDialect) -> None:
        self.centre = centre
        self.channel = UssdChannel(Dialect(), "main")
        self.dialogs = Dialogs()
        self.unit = 0

    def give(self, op: int, text: str, *, end: bool = False) -> object:
        self.unit += 1
        sm = self.centre.ussd(op, MSISDN, "929", text, 300, self.unit, end=end)
        return self.channel.receive(
            decode_sm(encode_sm_body(sm), self.unit, 5),
            connection=(0, 1),
            sequence=self.unit,
            now=self.unit * 1_000,
            dialogs=self.dialogs,
        )

    def screen(
        self, arrival: Dialled | Answered, text: str, more: bool
    ) -> tuple[str | None, str, int | None]:
        body = self.channel.reply(arrival.dialog, text, more, self.unit * 1_000 + 1, self.dialogs)
        assert body is not None
        sm = decode_sm(body, 1, 4)
        assert sm.dest.decode() == MSISDN
        return self.centre.action(sm), self.centre.decode(sm), self.centre.session_number(sm)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialogue_from_dial_to_end(name: str) -> None:
    handset = Handset(DIALECTS[name])
    number = 300 & 0xFF if DIALECTS[name].session_info else None
    opened = handset.give(0x01, "*929#")
    assert isinstance(opened, Dialled)
    assert opened.text == "*929#"
    assert handset.screen(opened, "Меню\n1 Да", True) == ("menu", "Меню\n1 Да", number)
    answer = handset.give(0x12, "1")
    assert isinstance(answer, Answered)
    assert answer.text == "1"
    assert handset.screen(answer, "Done [1]", False) == ("end", "Done [1]", number)
    assert handset.dialogs.live == 0


def test_an_abort_of_either_kind() -> None:
    for op, end in ((0x81, False), (0x12, True)):
        handset = Handset(COMVERSE)
        opened = handset.give(0x01, "*929#")
        assert isinstance(opened, Dialled)
        handset.screen(opened, "Меню", True)
        assert isinstance(handset.give(op, "", end=end), Aborted)
