"""A compiled flow and what it was compiled with: steps, operations, project settings.

Everything here is immutable and made once per build by `engine.reading`; the machine only reads it. A flow
is a flat program: a block, a scene and a target word are numbers of steps. This module does not know YAML
and does not know how steps run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, ClassVar

from engine.capabilities import Capabilities, Channel
from engine.expressions import Expression, Template
from engine.inputs import Input
from engine.limits import Limits
from engine.reading.diagnostic import Place
from engine.types import Record, Type
from engine.values import Value

STOP = -1
"""What a step returns instead of the next step's number when the session waits or has ended."""
LONG = -3
"""What `Step.glide` returns where it takes a `Run`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instruction. `next` is the number of the step that follows when nothing else is said.

    Subclasses say what they do (`run`), what they await (`resume`), and what a checker has to know of them
    (`exits`, `expressions`, `templates`, `saves`).
    """

    place: Place
    next: int
    id: str = ""

    verb: ClassVar[str] = ""
    """The word in YAML; tiny steps made by the compiler have none."""
    FIELDS: ClassVar[tuple[Any, ...]] = ()
    """The field table of a verb (`engine.reading.fields.Field`), the verb itself first."""
    EXAMPLE: ClassVar[str] = ""
    """A documented example of a verb, as YAML."""
    waits: ClassVar[bool] = False
    """Whether the step may stop the machine until an input comes (`ask`, `menu`, `request`)."""
    outside: ClassVar[bool] = False
    """Whether the step changes something outside, so that `back` never crosses it."""
    glides: ClassVar[bool] = False
    """Whether `glide` may do the step, so that it is worth a try."""
    channels: ClassVar[frozenset[str]] = frozenset({"voice", "ussd", "sms", "event"})
    """Channels in which the step works; in the others it is a fault of the flow."""
    saving: ClassVar[frozenset[str] | None] = None
    """The ways out (labels of `exits`) on which `saves` holds; None: on all of them."""

    @classmethod
    def owns_key(cls, key: str) -> bool:
        """Whether a key that is no field belongs to the step all the same (menu lines)."""
        return False

    @property
    def line(self) -> int:
        """The line of the step in its file, for logs and coverage."""
        return self.place.line

    def run(self, run: Any) -> int:
        """Do the step; return the number of the next one, or STOP."""
        raise AssertionError(f"{self.verb} cannot run")

    def glide(self, glance: Any) -> int:
        """Do the step in a turn without a `Run` (`engine.key_turn`), as `run` would.

        Returns the number of the next step; STOP when the session has ended with `glance.end`; LONG where
        there is more to it. Whatever was done is void then, and `run` does it.
        """
        return LONG

    def resume(self, run: Any, given: Input) -> int:
        """Take the input the step waits for; return the number of the next step, or STOP."""
        raise AssertionError(f"{self.verb} awaits nothing")

    def returned(self, run: Any, value: Value) -> int:
        """A flow that this step has run was left with `value`; return the number of the next step."""
        raise AssertionError(f"{self.verb} runs no flow")

    def exits(self) -> tuple[tuple[str, int], ...]:
        """Return all ways out of the step as (label, step number); the labels name branches in coverage."""
        return (("", self.next),)

    def expressions(self) -> tuple[Expression, ...]:
        """Return the code fields of the step, in the order they are evaluated."""
        return ()

    def templates(self) -> tuple[Template, ...]:
        """Return the texts of the step in the main language."""
        return ()

    def saves(self) -> tuple[tuple[str, Type], ...]:
        """Return the variables the step sets when it goes on regularly, with their types (`ANY`: unknown)."""
        return ()

    def asks_world(self) -> tuple[Expression | Template, ...]:
        """Return the fields whose built-in functions must be looked up before the step runs."""
        parts: tuple[Expression | Template, ...] = (*self.expressions(), *self.templates())
        return tuple(part for part in parts if part.asks)


@dataclass(frozen=True, slots=True)
class Operation:
    """A typed operation of a back end, `billing.package`. Times are milliseconds.

    `settle` is None, `repeat`, `people` or `ask`; then `settle_operation` is asked. `errors` maps an HTTP
    status to the name flows use. `safe` operations change nothing outside (`get`).
    """

    name: str
    backend: str
    method: str
    path: str
    place: Place
    url: str = ""
    takes: Mapping[str, Type] = field(default_factory=dict)
    returns: Record | None = None
    errors: Mapping[int, str] = field(default_factory=dict)
    charge: bool = False
    once_ms: int | None = None
    keys_ms: int | None = None
    settle: str | None = None
    settle_operation: str | None = None
    settle_within_ms: int = 600_000
    timeout_ms: int = 3_000
    retry: int = 0
    cache_ms: int | None = None

    @property
    def safe(self) -> bool:
        """Whether the operation only reads."""
        return self.method == "get"

    @property
    def irreversible(self) -> bool:
        """Whether its outcome may be `unknown`: it charges, or has `once`."""
        return self.charge or self.once_ms is not None

    @property
    def secret_args(self) -> frozenset[str]:
        """The arguments declared `secret`."""
        from_types = (name for name, type_ in self.takes.items() if type_.privacy.value == 2)
        return frozenset(from_types)


@dataclass(frozen=True, slots=True)
class Queue:
    """`queues:` entry of the project. `hours` is a window in minutes of the day, or a calendar's name."""

    name: str
    skills: tuple[str, ...] = ()
    hours: tuple[int, int] | str = (0, 1440)
    record: bool = False
    step_ms: int = 6_000


@dataclass(frozen=True, slots=True)
class Calendar:
    """`calendars:` entry: working days (0 = Monday), hours in minutes, days off as ISO dates or ranges."""

    name: str
    days: frozenset[int]
    hours: tuple[int, int]
    holidays: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """`config/project.yaml`. `memory` maps a name to how long it is kept: ms, None for ever, 0 the session.

    `ussd_reply_ms` is the answer time of a USSD dialog, `ussd_late` its last screen when that is over,
    `ussd_unknown` the screen for a code that no flow has, `sms_from` the sender of texts nobody asked for.
    `sms_stop` is the memory that is the stop list ("" if there is none), `sms_stopped` the answer to STOP
    where no flow has the word, `sms_quiet` the window of the day (minutes) in which nothing unasked is sent.
    `connect_allow` are the numbers a call may be transferred to, `money_queue` is the queue of the people who
    clear up orders of money ("" without queues). In a call the next digit is awaited `voice_between_ms`, and
    keys stop a prompt if `voice_barge_in`. `translated` has the project's own texts by language.
    """

    languages: tuple[str, ...]
    zone: tzinfo
    country: str = "RU"
    currency: str = "RUB"
    consts: Mapping[str, Value] = field(default_factory=dict)
    memory: Mapping[str, int | None] = field(default_factory=dict)
    capabilities: Mapping[Channel, Capabilities] = field(default_factory=dict)
    ussd_reply_ms: int = 10_000
    ussd_late: str = ""
    ussd_unknown: str = ""
    sms_from: str = ""
    sms_parts: int = 3
    sms_stop: str = ""
    sms_stopped: str = ""
    sms_quiet: tuple[int, int] | None = None
    limits: Limits = field(default_factory=Limits)
    queues: Mapping[str, Queue] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    connect_allow: tuple[str, ...] = ()
    money_queue: str = ""
    voice_between_ms: int = 3_000
    voice_barge_in: bool = True
    translated: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def late(self, language: str) -> str:
        """Return the last screen of a USSD dialog whose answer time is over, in a language."""
        return self.translated.get(language, {}).get(self.ussd_late, self.ussd_late)

    def unknown(self, language: str) -> str:
        """Return the screen for a code that no flow has, in a language."""
        return self.translated.get(language, {}).get(self.ussd_unknown, self.ussd_unknown)

    def stopped(self, language: str) -> str:
        """Return the answer to STOP where no flow has the word, in a language."""
        return self.translated.get(language, {}).get(self.sms_stopped, self.sms_stopped)


@dataclass(frozen=True, slots=True)
class OutboundTrigger:
    """`outbound:` of a flow header: when we call or write by ourselves, and when not. Times are milliseconds.

    `event` is an event of a back end, or `campaign.<name>`. Not before `after_ms` nor later than `within_ms`
    (None: no end) behind it, inside `hours` (minutes of the day, or a calendar's name; None: always). The
    channels of `over` are tried in their order, each `tries` times, `every_ms` apart. `skip` is asked before
    every try; `missed` is the step number of the block for a subscriber nobody reached.
    """

    event: str
    place: Place
    to: Expression | None = None
    after_ms: int = 0
    within_ms: int | None = None
    hours: tuple[int, int] | str | None = None
    tries: int = 1
    every_ms: int = 600_000
    over: tuple[str, ...] = ("voice",)
    skip: Expression | None = None
    missed: int | None = None


@dataclass(frozen=True, slots=True)
class SourceText:
    """A text of a flow that a subscriber sees or hears, as it is written in the main language.

    `text` is the key of its translations; `variables` are the names that its values use.
    """

    text: str
    place: Place
    variables: frozenset[str]
    flow: str


@dataclass(frozen=True, slots=True)
class EventTrigger:
    """`event:` of a flow header: which event, whom it is about, one session per element of `each`."""

    event: str
    place: Place
    to: Expression | None = None
    each: Expression | None = None
    each_as: str = ""
    hours: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class UssdTrigger:
    """`ussd:` of a flow header; `parameters` are the typed inputs of the pattern in its order."""

    pattern: str
    parameters: tuple[tuple[str, Type], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class SmsTrigger:
    """`sms:` of a flow header: any text, or words, or a text pattern with typed parameters, to a number."""

    to: str
    words: tuple[str, ...]
    pattern: str
    parameters: tuple[tuple[str, Type], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Flow:
    """One compiled file. `entry` is its first scene, `hangup`/`operator` blocks are step numbers or None.

    `errors` gives the block for each channel: the flow's own, or the project's, compiled in here. `scenes`
    are named step numbers. `dial_ahead` tells whether keys behind a plain code are used as answers.
    `resume_ms` is how long a session that broke off may be taken up again, `answer_late` that a call is
    answered only when it is needed. `texts` are those a subscriber sees, in the order of the file.
    """

    id: str
    title: str
    topic: str | None
    file: str
    place: Place
    program: tuple[Step, ...]
    entry: int
    scenes: Mapping[str, int]
    quit: int
    hangup: int | None = None
    operator: int | None = None
    project_operator: int | None = None
    errors: Mapping[str, int] = field(default_factory=dict)
    takes: Mapping[str, Type] = field(default_factory=dict)
    returns: Type | None = None
    keep_ms: int | None = None
    languages: tuple[str, ...] = ()
    ussd: tuple[UssdTrigger, ...] = ()
    sms: tuple[SmsTrigger, ...] = ()
    call: tuple[str, ...] = ()
    events: tuple[EventTrigger, ...] = ()
    dial_ahead: bool = True
    resume_ms: int | None = None
    answer_late: bool = False
    outbound: OutboundTrigger | None = None
    texts: tuple[SourceText, ...] = ()
    questions: Mapping[int, tuple[Expression | Template, ...]] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Type]:
        """Typed inputs: `takes` and the parameters of trigger patterns."""
        found = dict(self.takes)
        for code in self.ussd:
            found.update(code.parameters)
        for message in self.sms:
            found.update(message.parameters)
        return found
