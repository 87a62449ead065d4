"""All files of a project to one `FlowSet`: the caller has read them, everything found is in the report.

The order is project, back ends, translations, flows, triggers; checks of the whole set are made by
`engine.reading.checks`. Nothing is read from disk here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from engine.capabilities import Channel
from engine.expressions import Vocabulary
from engine.flow import Flow, Project
from engine.flow_set import FlowSet
from engine.prompts import fits
from engine.reading import backend_file, project
from engine.reading.backend_file import read_backends
from engine.reading.diagnostic import Place, Report, Severity
from engine.reading.flow_file import Compiled, flow_id, read_flow
from engine.reading.header import Message
from engine.reading.pattern import Pattern, overlap, shape_of
from engine.reading.private_name import private_names
from engine.reading.project import ProjectFile, read_project
from engine.reading.texts import is_texts_file, read_texts
from engine.reading.tree import Node, Table, Text
from engine.reading.workshop import Surroundings
from engine.reading.yaml_text import read_tree
from engine.steps import VERBS
from engine.target import Leave
from engine.trigger import CodeTree, Parameter, SmsTable


def build_of(files: Mapping[str, str]) -> str:
    """Return the build: the first 16 hexadecimal digits of the hash of all names and texts."""
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name, files[name]):
            data = part.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


def is_flow_file(name: str) -> bool:
    """Whether a file is a flow: `flows/*.yaml`, but no test and no table of translations."""
    return (
        name.startswith("flows/")
        and name.endswith(".yaml")
        and not name.endswith(".test.yaml")
        and not is_texts_file(name)
    )


def load_project(files: Mapping[str, str]) -> tuple[FlowSet | None, Report]:
    """Compile a project from its texts by name (`flows/tips.yaml`, `config/project.yaml`, …).

    Tests (`*.test.yaml`) and files that are none of ours are passed over. The flow set is None if there is
    an error; the report then says everything that was found.
    """
    flows, report = compile_project(files)
    return (None if report.has_errors else flows), report


def compile_project(files: Mapping[str, str]) -> tuple[FlowSet | None, Report]:
    """Compile what compiles: a flow with an error is left out of the set, the others are in it.

    Such a set is for checks, not for running. It is None if settings, back ends or translations have errors,
    because all flows rest on them.
    """
    report = Report()
    settings = _read_settings(files, report)
    tree = (
        read_tree(files[backend_file.FILE], backend_file.FILE, report) if backend_file.FILE in files else None
    )
    back_ends = read_backends(tree, report)
    names = [name for name in sorted(files) if is_flow_file(name)]
    translations = read_texts(files, settings.project, report)
    settings = replace(settings, project=replace(settings.project, translated=_own_texts(translations)))
    around = Surroundings(
        project=settings.project,
        operations=back_ends.operations,
        flows=_unique(names, report),
        known=_vocabulary(settings.project, back_ends.operations),
        verbs=VERBS,
        translations=translations,
    )
    compiled: list[Compiled] = []
    for name in names:
        made = read_flow(
            read_tree(files[name], name, report), name, around, settings, dict(back_ends.events), report
        )
        if made is not None:
            compiled.append(made)
    codes = _codes(compiled, settings.project, report)
    messages = _messages(compiled, settings.project, report)
    calls = _calls(compiled, report)
    if report.has_errors:
        broken = {found.place.file for found in report.diagnostics if found.severity is Severity.ERROR}
        if not broken.issubset(names):
            return None, report
        compiled = [made for made in compiled if made.flow.file not in broken]
    flows = {made.flow.id: made.flow for made in compiled}
    trailing = any(step.verb in ("queue", "callback") for flow in flows.values() for step in flow.program)
    flow_set = FlowSet(
        build=build_of(files),
        project=settings.project,
        flows=flows,
        operations=back_ends.operations,
        events=back_ends.events,
        sources=dict(files),
        channels={channel.value: keys for channel, keys in settings.project.capabilities.items()},
        nowhere=_nowhere(),
        codes=codes,
        messages=messages,
        fitting=_fitting(flows, settings.project),
        listeners=_listeners(compiled),
        calls=calls,
        translations=translations,
        trailing=trailing,
        private=private_names(flows.values(), back_ends.operations, back_ends.events)
        if trailing
        else frozenset(),
    )
    return flow_set, report


def _read_settings(files: Mapping[str, str], report: Report) -> ProjectFile:
    source = files.get(project.FILE)
    tree: Node | None = None
    if source is None:
        report.error("missing-field", f"there is no {project.FILE}", Place(project.FILE, 1, 1))
    else:
        tree = read_tree(source, project.FILE, report)
    found = read_project(tree, report)
    if found is not None:
        return found
    place = Place(project.FILE, 1, 1)
    minimal = Table((), place)
    fallback = read_project(minimal, Report())
    assert fallback is not None
    return fallback


def _own_texts(translations: Mapping[str, Mapping[str, Text]]) -> dict[str, dict[str, str]]:
    """Return the translations as plain texts, for the few texts that belong to no flow."""
    return {
        language: {source: text.value for source, text in texts.items() if "{" not in text.value}
        for language, texts in translations.items()
    }


def _unique(names: list[str], report: Report) -> frozenset[str]:
    seen: dict[str, str] = {}
    for name in names:
        id_ = flow_id(name)
        if id_ in seen:
            report.error(
                "dup-key",
                f'the flow "{id_}" is in two files, {seen[id_]} and {name}',
                Place(name, 1, 1),
                help="the file name is the id of the flow; rename one of them",
            )
        seen.setdefault(id_, name)
    return frozenset(seen)


def _vocabulary(settings: Project, operations: Mapping[str, object]) -> Vocabulary:
    with_once = [name for name, item in operations.items() if getattr(item, "once_ms", None) is not None]
    return Vocabulary(
        consts=settings.consts,
        languages=settings.languages,
        memory=frozenset(settings.memory),
        operations=frozenset(with_once),
        queues=frozenset(settings.queues),
        calendars=frozenset(settings.calendars),
    )


def _codes(compiled: list[Compiled], settings: Project, report: Report) -> CodeTree:
    tree = CodeTree(settings.country)
    seen: dict[tuple[str | None, ...], list[tuple[Pattern, str, Place]]] = {}
    for made in compiled:
        for code in made.header.codes:
            place = code.trigger.place
            for pattern, written, first in seen.setdefault(shape_of(code.pattern), []):
                if overlap(pattern, code.pattern):
                    report.error(
                        "trigger-conflict",
                        f'"{written}" ({first.file}:{first.line}) and "{code.trigger.pattern}" '
                        f"({place.file}:{place.line}) match the same dials",
                        place,
                        help="change one of the two codes",
                        further=((first, "the other one"),),
                    )
            seen[shape_of(code.pattern)].append((code.pattern, code.trigger.pattern, place))
            tree.add(code.pattern, made.flow.id, made.flow.dial_ahead)
    return tree


def _messages(compiled: list[Compiled], settings: Project, report: Report) -> SmsTable:
    table = SmsTable(settings.country)
    seen: dict[tuple[str, object], tuple[str, Place]] = {}
    for made in compiled:
        for message in made.header.messages:
            trigger = message.trigger
            box = table.box(trigger.to)
            for key, shown in _keys_of(message):
                first = seen.setdefault((trigger.to, key), (made.flow.id, trigger.place))
                if first[1] != trigger.place:
                    report.error(
                        "trigger-conflict",
                        f"{shown} to {trigger.to} starts two flows: {first[0]} "
                        f"({first[1].file}:{first[1].line}) and {made.flow.id} "
                        f"({trigger.place.file}:{trigger.place.line})",
                        trigger.place,
                        help="give one of them other words",
                        further=((first[1], "the other one"),),
                    )
            if message.pattern:
                box.patterns.append((message.pattern, made.flow.id))
            elif message.phrases:
                for phrase in message.phrases:
                    box.phrases.setdefault(phrase[0], []).append((phrase, made.flow.id))
            else:
                box.any = made.flow.id
    for box in table.boxes.values():
        box.patterns.sort(key=lambda item: -_literal(item[0]))
    return table


def _calls(compiled: list[Compiled], report: Report) -> dict[str, str]:
    """Return the flows by called number; one number starts one flow."""
    found: dict[str, tuple[str, Place]] = {}
    for made in compiled:
        for number, place in made.header.calls:
            first = found.get(number)
            if not number.isascii() or not number.strip("*#").isdigit() or len(number) > 15:
                report.error(
                    "type",
                    f'"{number}" is not a number that can be called',
                    place,
                    help='write it in digits: "0890"',
                )
            elif first is not None:
                report.error(
                    "trigger-conflict",
                    f"a call to {number} starts two flows: {first[0]} ({first[1].file}:{first[1].line}) "
                    f"and {made.flow.id} ({place.file}:{place.line})",
                    place,
                    help="change one of the two numbers",
                    further=((first[1], "the other one"),),
                )
            else:
                found[number] = (made.flow.id, place)
    return {number: flow for number, (flow, _) in found.items()}


def _keys_of(message: Message) -> list[tuple[object, str]]:
    if message.pattern:
        shape = tuple(None if isinstance(part, Parameter) else part for part in message.pattern)
        return [(("pattern", shape), f'"{message.trigger.pattern}"')]
    if message.phrases:
        return [(phrase, f'"{" ".join(phrase)}"') for phrase in message.phrases]
    return [("any", "any text")]


def _literal(pattern: tuple[tuple[str, ...] | Parameter, ...]) -> int:
    return sum(len(word) for part in pattern if isinstance(part, tuple) for word in part)


def _listeners(compiled: list[Compiled]) -> dict[str, tuple[Flow, ...]]:
    found: dict[str, list[Flow]] = {}
    for made in compiled:
        for event in dict.fromkeys(trigger.event for trigger in made.flow.events):
            found.setdefault(event, []).append(made.flow)
    return {event: tuple(flows) for event, flows in found.items()}


def _nowhere() -> Flow:
    """Return the flow of a session that has not begun: it has nothing but its end."""
    place = Place("", 1, 1)
    program = (Leave(place=place, next=0, reason="left"),)
    return Flow("", "", None, "", place, program, 0, {}, 0)


def _fitting(flows: Mapping[str, Flow], settings: Project) -> frozenset[str]:
    """Return the constant texts that fit a page, so that no turn has to measure them."""
    budget = settings.capabilities[Channel.USSD].pages
    if budget is None:
        return frozenset()
    texts = {
        template.constant
        for flow in flows.values()
        for step in flow.program
        for template in step.templates()
        if template.constant is not None
    }
    return frozenset(text for text in texts if fits(text, budget))
