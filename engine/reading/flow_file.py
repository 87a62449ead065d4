"""One flow file: its tree to a compiled `Flow`.

Header and scenes are compiled with one workshop; the project's blocks for errors and for the operator are
compiled in as well, so that they run in the flow that needs them. Checks of the whole set come later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from engine.flow import Flow, SourceText
from engine.reading.diagnostic import Place, Report
from engine.reading.file_name import ALLOWED, better_name
from engine.reading.header import HEADER, Header, read_header
from engine.reading.project import CHANNEL_WORDS, ProjectFile
from engine.reading.scalars import is_name
from engine.reading.suggestion import did_you_mean
from engine.reading.texts import variables_of
from engine.reading.tree import Node, Sequence, Table, Text
from engine.reading.workshop import Surroundings, Workshop
from engine.types import Record


@dataclass(frozen=True, slots=True)
class Compiled:
    """A flow with its triggers as patterns."""

    flow: Flow
    header: Header


def flow_id(file: str) -> str:
    """Return the id of a flow: the name of its file."""
    return PurePosixPath(file).stem


def read_flow(
    tree: Node | None,
    file: str,
    around: Surroundings,
    project: ProjectFile,
    events: dict[str, Record],
    report: Report,
) -> Compiled | None:
    """Compile a file; None if there is no flow in it. What is wrong is reported."""
    if not isinstance(tree, Table):
        if tree is not None:
            report.error("type", "expected flow: and scenes", tree, help="a file begins with flow:")
        return None
    name = flow_id(file)
    if not is_name(name):
        report.error(
            "type",
            f'"{name}" is not a name: the file name is the id of the flow',
            tree,
            help=f"rename it to {better_name(PurePosixPath(file).name)}; {ALLOWED}",
        )
    entry = tree.entry(HEADER)
    if entry is None:
        report.error("missing-field", "the file has no flow:", tree, help="a file begins with flow: title: …")
        return None
    if not isinstance(entry.value, Table):
        report.error("type", "flow: expected a table with title and triggers", entry.value)
        return None
    shop = Workshop(around, report, file, _languages(entry.value, around, report), entry.key.place)
    shop.declare(tree, HEADER)
    header = read_header(entry.value, shop, events)
    shop.inputs = header.takes
    if not shop.scenes:
        report.error("missing-field", "the flow has no scene", entry.key, help="start: with a list of steps")
        return None
    for scene in tree:
        if scene.key.value != HEADER:
            shop.scene(scene.key.value, scene.key, scene.value)
    return Compiled(_finish(name, file, entry.key.place, header, shop, project), header)


def _languages(table: Table, around: Surroundings, report: Report) -> tuple[str, ...]:
    """Return the languages of the flow, that of its texts first: its own ones, or the project's."""
    known = around.project.languages
    node = table.get("languages")
    items = node.items if isinstance(node, Sequence) else (node,)
    found = []
    for item in items:
        if not isinstance(item, Text):
            continue
        if item.value in known:
            found.append(item.value)
            continue
        report.error(
            "type",
            f'the project has no language "{item.value}"{did_you_mean(item.value, known)}',
            item,
            help=f"languages: of the project has {', '.join(known)}",
        )
    return tuple(dict.fromkeys(found)) or known


def _finish(name: str, file: str, place: Place, header: Header, shop: Workshop, project: ProjectFile) -> Flow:
    hangup = header.nodes["hangup"]
    operator = header.nodes["operator"]
    hung_up = None if hangup is None else shop.block(hangup, shop.words["hangup"])
    own_operator = None if operator is None else shop.block(operator, shop.words["hangup"])
    missed = None if header.missed is None else shop.block(header.missed, shop.left)
    # The blocks of the project name no scenes of the flow, and none of its inputs.
    scenes, shop.scenes = shop.scenes, {}
    shop.inputs = {}
    project_operator = (
        None if project.operator is None else shop.block(project.operator, shop.words["hangup"])
    )
    errors = _error_blocks(project.errors, shop)
    shop.scenes = scenes
    shop.inputs = header.takes
    errors.update(_error_blocks(header.values["errors"], shop))
    outbound = header.outbound
    if outbound is not None and missed is not None:
        outbound = replace(outbound, missed=missed)
    program = shop.finished()
    questions = {}
    for number, step in enumerate(program):
        asked = step.asks_world()
        if asked:
            questions[number] = asked
    return Flow(
        id=name,
        title=header.values["title"] or name,
        topic=header.values["topic"],
        file=file,
        place=place,
        program=program,
        entry=next(iter(shop.scenes.values())),
        scenes=dict(shop.scenes),
        quit=shop.words["hangup"],
        hangup=hung_up,
        operator=own_operator,
        project_operator=project_operator,
        errors=errors,
        takes=header.takes,
        returns=header.values["returns"],
        keep_ms=header.values["keep"],
        languages=shop.offered,
        ussd=tuple(code.trigger for code in header.codes),
        sms=tuple(message.trigger for message in header.messages),
        call=tuple(number for number, _ in header.calls),
        events=header.events,
        dial_ahead=header.values["dial_ahead"],
        resume_ms=header.values["resume"] or None,
        answer_late=header.values["answer"] == "late",
        outbound=outbound,
        texts=tuple(
            SourceText(text.value.strip(), place, variables_of(template), name)
            for place, (text, template) in shop.heard.items()
        ),
        questions=questions,
    )


def _error_blocks(table: Table | None, shop: Workshop) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in table or ():
        word = entry.key.value
        if word not in (*CHANNEL_WORDS, "text", "event"):
            shop.report.error(
                "unknown-field",
                f'"{word}" is not a channel{did_you_mean(word, (*CHANNEL_WORDS, "text"))}',
                entry.key,
                help="errors: has the keys voice and text, or voice, ussd and sms",
            )
            continue
        block = shop.block(entry.value, shop.resume)
        if word == "text":
            found.setdefault("ussd", block)
            found.setdefault("sms", block)
        else:
            found[word] = block
    return found
