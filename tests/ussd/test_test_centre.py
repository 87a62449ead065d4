"""The channel against every dialect of our own test centre: both must read each other's messages."""

from __future__ import annotations

import pytest

from smpp.pdu.message import decode_sm, encode_sm_body
from smpp.testing.dialect import COMVERSE, DIALECTS, CentreDialect
from smpp.testing.dialect import SHIPPED as CENTRES
from ussd.arrival import Aborted, Answered, Dialled, Notified, Repeated, Stray
from ussd.centre import UssdChannel
from ussd.dialect import Dialect
from ussd.dialog import Dialog, Dialogs

from .conftest import SHIPPED, shipped

MSISDN = "79161234567"
PAIRS = {
    **{name: (Dialect(), centre) for name, centre in DIALECTS.items()},
    **{f"shipped {name}": (shipped(name), centre) for name, centre in CENTRES.items()},
}


class Handset:
    """One subscriber at the test centre."""

    def __init__(self, centre: CentreDialect, dialect: Dialect | None = None) -> None:
        self.centre = centre
        self.channel = UssdChannel(dialect or Dialect(), "main")
        self.dialogs = Dialogs()
        self.unit = 0
        self.session = 300

    def give(
        self, op: int, text: str, *, end: bool = False, sequence: int = 0, connection: int = 1
    ) -> object:
        self.unit += not sequence
        sm = self.centre.ussd(op, MSISDN, "929", text, self.session, sequence or self.unit, end=end)
        return self.channel.receive(
            decode_sm(encode_sm_body(sm), self.unit, 5),
            connection=(0, connection),
            sequence=sequence or self.unit,
            now=self.unit * 1_000,
            dialogs=self.dialogs,
        )

    def screen(
        self, arrival: Dialled | Answered, text: str, more: bool
    ) -> tuple[str | None, str, int | None]:
        return self.page(arrival.dialog, text, more)

    def page(self, dialog: Dialog, text: str, more: bool) -> tuple[str | None, str, int | None]:
        body = self.channel.reply(dialog, text, more, self.unit * 1_000 + 1, self.dialogs)
        assert body is not None
        return self.read(body)

    def read(self, body: bytes) -> tuple[str | None, str, int | None]:
        sm = decode_sm(body, 1, 4)
        assert sm.dest.decode() == MSISDN
        assert sm.source.decode() in ("929", "105")
        return self.centre.action(sm), self.centre.decode(sm), self.centre.session_number(sm)


@pytest.mark.parametrize("name", PAIRS)
def test_a_dialogue_from_dial_to_end(name: str) -> None:
    dialect, centre = PAIRS[name]
    handset = Handset(centre, dialect)
    number = centre.number(300) if centre.session_info else None
    opened = handset.give(0x01, "*929#")
    assert isinstance(opened, Dialled)
    assert opened.text == "*929#"
    assert handset.screen(opened, "Меню\n1 Да", True) == ("menu", "Меню\n1 Да", number)
    answer = handset.give(0x12, "1")
    assert isinstance(answer, Answered)
    assert answer.text == "1"
    assert handset.screen(answer, "Done [1]", False) == ("end", "Done [1]", number)
    assert handset.dialogs.live == 0


@pytest.mark.parametrize("name", PAIRS)
def test_repeats_late_input_and_a_new_dial(name: str) -> None:
    dialect, centre = PAIRS[name]
    handset = Handset(centre, dialect)
    opened = handset.give(0x01, "*929#")
    assert isinstance(opened, Dialled)
    handset.screen(opened, "Меню", True)
    again = handset.give(0x01, "*929#", sequence=1)
    assert isinstance(again, Repeated)
    assert again.answer is not None
    assert handset.read(again.answer)[1] == "Меню"
    handset.session += 1
    superseding = handset.give(0x01, "*105#")
    assert isinstance(superseding, Dialled)
    assert superseding.superseded is not None
    handset.screen(superseding, "Конец", False)
    late = handset.give(0x12, "1")
    assert isinstance(late, Stray)
    assert late.farewell is not None
    assert handset.read(late.farewell)[0] in ("end", "notify")
    assert handset.dialogs.live == 0


@pytest.mark.parametrize("name", PAIRS)
def test_an_abort_as_the_centre_tells_it(name: str) -> None:
    dialect, centre = PAIRS[name]
    handset = Handset(centre, dialect)
    opened = handset.give(0x01, "*929#")
    assert isinstance(opened, Dialled)
    handset.screen(opened, "Меню", True)
    if centre.abort == "silent":
        assert opened.dialog.overdue(handset.unit * 1_000 + 60_001) == "idle"
        return
    op = 0x81 if centre.abort == "release" else 0x12
    assert isinstance(handset.give(op, "", end=centre.abort == "end_bit"), Aborted)
    assert handset.dialogs.live == 0


@pytest.mark.parametrize("name", SHIPPED)
def test_a_question_of_ours(name: str) -> None:
    centre = CENTRES[name]
    handset = Handset(centre, shipped(name))
    begun = handset.channel.initiate(MSISDN, "Оцените", code="*929#", now=500, dialogs=handset.dialogs)
    assert begun is not None
    action, text, number = handset.read(begun[1])
    assert (action, text) == ("menu", "Оцените")
    assert centre.begins(decode_sm(begun[1], 1, 4))
    if number is not None:
        handset.session = centre.number(number + centre.renumbers)
    answer = handset.give(0x12, "5")
    assert isinstance(answer, Answered)
    assert handset.screen(answer, "Ещё вопрос", True)[0] == "menu"
    answer = handset.give(0x12, "нет")
    assert isinstance(answer, Answered)
    assert answer.text == "нет"
    action, text, _ = handset.screen(answer, "Спасибо", False)
    assert text == "Спасибо"
    if action == "notify":  # closed by a release, once the last text was shown
        shown = handset.give(0x13, "")
        assert isinstance(shown, Notified)
        assert shown.release is not None
        action = handset.read(shown.release)[0]
    assert action in ("end", "release")
    assert handset.dialogs.live == 0


@pytest.mark.parametrize("name", SHIPPED)
def test_a_notification_of_ours(name: str) -> None:
    handset = Handset(CENTRES[name], shipped(name))
    begun = handset.channel.initiate(
        MSISDN, "Готово", code="929", now=500, dialogs=handset.dialogs, notify=True
    )
    assert begun is not None
    action, text, _ = handset.read(begun[1])
    assert (action in ("notify", "end"), text) == (True, "Готово")
    assert handset.dialogs.live == 0
    assert not isinstance(handset.give(0x13, ""), Answered | Dialled)


@pytest.mark.parametrize("name", [one for one in SHIPPED if CENTRES[one].session_info])
def test_late_input_of_the_dialog_before_is_no_answer_to_ours(name: str) -> None:
    handset = Handset(CENTRES[name], shipped(name))
    opened = handset.give(0x01, "*929#")
    assert isinstance(opened, Dialled)
    handset.screen(opened, "Конец", False)
    begun = handset.channel.initiate(MSISDN, "Оцените", code="929", now=1_500, dialogs=handset.dialogs)
    assert begun is not None
    assert isinstance(handset.give(0x12, "1"), Stray)
    assert begun[0].live


def test_an_abort_of_either_kind() -> None:
    for op, end in ((0x81, False), (0x12, True)):
        handset = Handset(COMVERSE)
        opened = handset.give(0x01, "*929#")
        assert isinstance(opened, Dialled)
        handset.screen(opened, "Меню", True)
        assert isinstance(handset.give(op, "", end=end), Aborted)
