"""All verbs of the flow language, one module each; this list is the registry."""

from __future__ import annotations

from engine.reading.workshop import Verb
from engine.steps.answer import Answer
from engine.steps.ask import Ask
from engine.steps.callback import Callback
from engine.steps.connect import Connect
from engine.steps.end import End
from engine.steps.for_ import For
from engine.steps.forget import Forget
from engine.steps.go import Go
from engine.steps.hangup import HangUp
from engine.steps.if_ import If
from engine.steps.log import Log
from engine.steps.menu import Menu
from engine.steps.queue import Queue
from engine.steps.rate import Rate
from engine.steps.record import Record
from engine.steps.refuse import Refuse
from engine.steps.remember import Remember
from engine.steps.repeat import Repeat
from engine.steps.request import Request
from engine.steps.return_ import Return
from engine.steps.run_ import Run
from engine.steps.say import Say
from engine.steps.schedule import Schedule
from engine.steps.set_ import Set
from engine.steps.sms import Sms
from engine.steps.split import Split
from engine.steps.switch import Switch
from engine.steps.wait import Wait
from engine.steps.when import When

_ALL: tuple[type[Verb], ...] = (
    Say,
    Ask,
    Menu,
    Rate,
    Request,
    Refuse,
    If,
    When,
    Switch,
    Set,
    Remember,
    Forget,
    Run,
    Go,
    Repeat,
    For,
    Split,
    Sms,
    Queue,
    Callback,
    Schedule,
    Record,
    Connect,
    Answer,
    Wait,
    Log,
    End,
    Return,
    HangUp,
)

VERBS: dict[str, type[Verb]] = {kind.verb: kind for kind in _ALL}
"""Every verb by its word in YAML."""
