"""`secret-leak`, `pii-leak`: a secret or personal data on the way to a place that may not have it."""

from __future__ import annotations

from engine.expressions import Template
from engine.expressions.narrowing import Types
from engine.flow import Step
from engine.reading.checks.fragment import Fragment, shown, templates
from engine.reading.checks.survey import Reading, Survey
from engine.reading.diagnostic import Place, Report
from engine.steps.callback import Callback
from engine.steps.connect import Connect
from engine.steps.log import Log
from engine.steps.queue import Queue
from engine.steps.request import Request
from engine.steps.run_ import Run
from engine.steps.schedule import Schedule
from engine.steps.sms import Sms
from engine.types import Privacy, Scalar, Type

CODES = ("secret-leak", "pii-leak")


def check(survey: Survey, report: Report) -> None:
    """Follow secrets to texts and arguments."""
    for reading in survey.readings:
        privacy = reading.typed.type.privacy
        if privacy is not Privacy.PUBLIC:
            _text(reading, privacy, report)
    for _, _, step, types in survey.steps():
        _arguments(survey, step, types, report)


_REMEDY = "send it by sms: with secret: yes"


def _text(reading: Reading, privacy: Privacy, report: Report) -> None:
    step, fragment, channel = reading.step, reading.fragment, reading.passage.channel
    if isinstance(step, Log):
        _logged(step, fragment, privacy, report)
        return
    if privacy is not Privacy.SECRET or not isinstance(fragment.part, Template):
        return
    if isinstance(step, Sms):
        if not step.secret:
            _leak(step, fragment, "in sms without secret: yes", "add secret: yes to the sms", report)
    elif channel != "voice" and any(fragment.part is text for text in shown(step, channel)):
        _leak(step, fragment, f"in {step.verb}: – a screen is kept by the network", _REMEDY, report)
    elif isinstance(step, Request):
        _leak(step, fragment, "in key:", "make the key of something that is no secret", report)
    elif isinstance(step, Queue | Callback | Connect):
        key = templates(step.key, channel) if isinstance(step, Callback) else ()
        if any(fragment.part is text for text in key):
            _leak(step, fragment, "in key:", "make the key of something that is no secret", report)
        else:
            _leak(step, fragment, "in note:", "leave it out: notes are kept and read by people", report)


def _leak(step: Step, fragment: Fragment, where: str, remedy: str, report: Report) -> None:
    place, name = _secret_use(step, fragment, Privacy.SECRET)
    report.error("secret-leak", f"{name} (secret) {where}", place, help=remedy)


def _secret_use(step: Step, fragment: Fragment, privacy: Privacy) -> tuple[Place, str]:
    """Return the place and the name of the value that is so private."""
    for use in fragment.part.uses:
        type_: Type | None = fragment.types.get(use.name)
        for name in use.path[1:]:
            shape = type_.shape if type_ is not None else None
            type_ = shape.field(name) if shape is not None and hasattr(shape, "field") else None
        if type_ is not None and type_.privacy is privacy:
            return use.place, ".".join(use.path)
    return step.place, "the text"


def _logged(step: Log, fragment: Fragment, privacy: Privacy, report: Report) -> None:
    place, name = _secret_use(step, fragment, privacy)
    if privacy is Privacy.SECRET:
        report.error("secret-leak", f"{name} (secret) in log:", place, help="leave it out of the line")
    else:
        report.warning("pii-leak", f"{name} (pii) in log:", place, help="leave it out of the line")


def _arguments(survey: Survey, step: Step, types: Types, report: Report) -> None:
    if isinstance(step, Request):
        given = [(name, value, wanted) for name, value, wanted in step.arguments]
        taker, remedy = step.operation.name, f"declare it in takes: of {step.operation.name} as secret"
    elif isinstance(step, Schedule):
        for name, value in step.arguments:
            if value.type_in(types).type.privacy is Privacy.SECRET:
                report.error(
                    "secret-leak",
                    f"argument {name} of {step.flow} is secret, and what is scheduled is kept till then",
                    value.uses[0].place if value.uses else step.place,
                    help="let the later flow ask for it again",
                )
        return
    elif isinstance(step, Run) and step.flow in survey.flows.flows:
        inputs = survey.flows.flows[step.flow].inputs
        given = [(name, value, inputs[name]) for name, value in step.arguments if name in inputs]
        taker, remedy = step.flow, f"declare it in takes: of {step.flow} as secret"
    else:
        return
    path = step.operation.path if isinstance(step, Request) else ""
    for name, value, wanted in given:
        typed = value.type_in(types).type
        place = value.uses[0].place if value.uses else step.place
        if typed.privacy is Privacy.SECRET and wanted.privacy is not Privacy.SECRET:
            report.error(
                "secret-leak", f"argument {name} of {taker} is not declared secret", place, help=remedy
            )
        elif typed.privacy is Privacy.PERSONAL and typed.shape is not Scalar.PHONE and f"{{{name}}}" in path:
            report.warning(
                "pii-leak", f"{value.source} (pii) goes to a URL", place, help="send it in the body of a post"
            )
