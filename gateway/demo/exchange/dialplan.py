"""What a call does before, between and after its sessions of AGI: the ways of `asterisk-dialplan/`.

Entry, `IVR_NEXT`, queue, connection, apology and the report of a hang-up, in the words of that dialplan;
a second gateway is left out. Each value that the gateway has set is filtered where it is used, as there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from gateway.demo.exchange.floor import Left
from gateway.demo.exchange.telephone import Telephone
from ivr.queue_key import queue_priority

ROUNDS = 20
"""A gateway that sends a call round for ever loses it to people."""
OUR_NUMBER = "0890"
"""Who is called back, or called by a flow without a number, sees this one."""
DEFAULT_QUEUE = "support"
DEFAULT_WAIT_S = 300
CONNECT_S = 30
APOLOGY = "No gateway answers: an apology is played, then the queue of last resort takes the call."
_LEFT = ("QUEUESTATUS", "QEHOLDTIME", "MEMBERINTERFACE", "ANSWEREDTIME", "DIALSTATUS", "IVR_RESULT")
_DIALLED = {"CONTINUE": "ANSWER", "TIMEOUT": "NOANSWER"}
_SESSION = re.compile(r"[0-9a-f]+", re.ASCII)


class Way(Protocol):
    """One call as the dialplan sees it."""

    telephone: Telephone
    priority: int

    async def agi(self, path: str, query: str) -> None:
        """Run AGI() at the gateway."""

    async def stand(self, queue: str, priority: int, limit_s: float | None, *, outside: bool) -> Left:
        """Run Queue() or Dial(): wait, talk, until one of the two leaves."""

    def remark(self, text: str) -> None:
        """Show the caller what the exchange does by itself."""


async def dialplan(way: Way, now: Callable[[], int]) -> None:
    """Carry a call through to its end; `now` is UTC in milliseconds."""
    telephone = way.telephone
    way.priority = queue_priority(now(), 0)
    await _agi(way, f"flow?number={digits(telephone.number)}")
    for _ in range(ROUNDS):
        word = letters(telephone.variable("IVR_NEXT"))
        if telephone.channel.hungup or word == "done":
            break
        if word == "queue":
            over = await _queue(way)
        elif word == "connect":
            over = await _connect(way)
        else:
            over = False
        if over is None:
            continue
        if not over:
            await _sorry(way)
        break
    else:
        await _sorry(way)
    await _hung_up(way)


async def _agi(way: Way, script: str) -> None:
    variables = way.telephone.channel.variables
    variables["IVR_NEXT"] = ""
    path, _, query = script.partition("?")
    await way.agi(path, query)


async def _queue(way: Way) -> bool | None:
    """Stand in the queue; None: go on as the gateway says, else whether the call is over."""
    telephone = way.telephone
    name = re.sub(r"[^a-zA-Z0-9_-]", "", telephone.variable("IVR_QUEUE"))
    key = digits(telephone.variable("IVR_PRIO"))
    way.priority = int(key) if key else way.priority
    limit = digits(telephone.variable("IVR_QTIMEOUT"))
    left = await _stand(way, name, int(limit) if limit else None)
    if telephone.channel.hungup:
        return True
    return await _after(way, left.status, left.status == "CONTINUE")


async def _connect(way: Way) -> bool | None:
    telephone = way.telephone
    number = digits(telephone.variable("IVR_CONNECT"))
    status = "INVALIDARGS"
    _forget(telephone)
    if number:
        limit = digits(telephone.variable("IVR_CTIMEOUT"))
        left = await _stand(way, number, int(limit) if limit else CONNECT_S, outside=True)
        status = _DIALLED.get(left.status, "CANCEL")
    if telephone.channel.hungup:
        return True
    telephone.channel.variables |= {"DIALSTATUS": status, "QUEUESTATUS": "", "MEMBERINTERFACE": ""}
    return await _after(way, status, status == "ANSWER")


async def _after(way: Way, status: str, talked: bool) -> bool | None:
    """Bring the caller back to the gateway; one that is dead costs a caller nothing who has had his talk."""
    await _agi(way, f"after?status={status}")
    if letters(way.telephone.variable("IVR_NEXT")):
        return None
    return talked


async def _stand(way: Way, queue: str, limit_s: float | None, *, outside: bool = False) -> Left:
    _forget(way.telephone)
    left = await way.stand(queue, way.priority, limit_s, outside=outside)
    way.telephone.channel.variables |= {
        "QUEUESTATUS": left.status,
        "QEHOLDTIME": str(left.waited_s) if left.member else "",
        "MEMBERINTERFACE": left.member,
        "ANSWEREDTIME": str(left.talked_s) if left.member else "",
        "IVR_RESULT": left.result,
    }
    return left


def _forget(telephone: Telephone) -> None:
    telephone.channel.variables |= dict.fromkeys(_LEFT, "")


async def _sorry(way: Way) -> None:
    if way.telephone.channel.hungup:
        return
    way.remark(APOLOGY)
    await _stand(way, DEFAULT_QUEUE, DEFAULT_WAIT_S)


async def _hung_up(way: Way) -> None:
    """The hang-up handler: tell the gateway once more of a caller whom it has led on."""
    telephone = way.telephone
    mine = _SESSION.fullmatch(telephone.variable("IVR_SESSION"))
    if not telephone.channel.hungup or not mine or letters(telephone.variable("IVR_NEXT")) == "done":
        return
    await way.agi("hangup", f"status={telephone.variable('QUEUESTATUS')}")


def digits(text: str) -> str:
    """Return the digits of a text, as FILTER(0-9,…)."""
    return re.sub(r"[^0-9]", "", text)


def letters(text: str) -> str:
    """Return the small letters of a text, as FILTER(a-z,…)."""
    return re.sub(r"[^a-z]", "", text)
