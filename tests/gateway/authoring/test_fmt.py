"""`gudok fmt`: what it puts right, what it leaves alone, and that no flow comes to mean anything else."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.reading.diagnostic import Report
from engine.reading.flow_set import compile_project
from engine.reading.report import source_lines
from engine.reading.tree import plain_value
from engine.reading.yaml_text import read_tree
from engine.testing.rehearsal import Rehearsal, rehearse
from gateway.authoring.entry_order import reordered
from gateway.authoring.form import _tables, formed
from gateway.cli import main
from gateway.project_files import read_project

ROOT = Path(__file__).resolve().parents[3]
PROJECT = read_project(ROOT)
FLOWS = sorted(
    name for name in PROJECT.texts if name.startswith("flows/") and not name.startswith("flows/texts/")
)
FILES = [*FLOWS, *sorted(PROJECT.tests)]


def text_of(name: str) -> str:
    return PROJECT.texts.get(name) or PROJECT.tests[name]


def meaning(text: str) -> object:
    """What is written, the order of entries included where it is not that of fields."""
    return plain_value(read_tree(text, "f.yaml", Report()) or pytest.fail("unreadable"))


def form(text: str, file: str = "flows/f.yaml") -> str:
    return formed(text, file).text


FLOW = "flow:\n  title: т\nstart:\n"


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("flow:\n  sms: 9290\n", 'flow:\n  sms: "9290"\n'),
        ("flow:\n  call: [0890, 611]  # две\n", 'flow:\n  call: ["0890", "611"]  # две\n'),
        ("flow:\n  sms: { to: 05, words: [да, no] }\n", 'flow:\n  sms: { to: "05", words: [да, "no"] }\n'),
        ("flow:\n  ussd: *929#\n", 'flow:\n  ussd: "*929#"\n'),
        ("flow:\n  title: {{ x }} рублей\n", 'flow:\n  title: "{{ x }} рублей"\n'),
        (f'{FLOW}  - say: {{{{ a|count("б|в|г") }}}}\n', f"{FLOW}  - say: '{{{{ a|count(\"б|в|г\") }}}}'\n"),
        (f"{FLOW}  - end: 404\n", f'{FLOW}  - end: "404"\n'),
        (f"{FLOW}  - end: {{ voice: no, text: Нет }}\n", f'{FLOW}  - end: {{ voice: "no", text: Нет }}\n'),
        (
            f"{FLOW}  - request: b.x\n    errors:\n      else:\n        end: 12:30\n",
            f'{FLOW}  - request: b.x\n    errors:\n      else:\n        end: "12:30"\n',
        ),
        (
            f"{FLOW}  - ask: Код?\n    save: c\n    # почему\n    type: digits   # цифры\n    digits: 6\n",
            f"{FLOW}  - ask: Код?\n    # почему\n    type: digits   # цифры\n    digits: 6\n    save: c\n",
        ),
        (f"{FLOW}  - save: a\n    request: b.x\n", f"{FLOW}  - request: b.x\n    save: a\n"),
        (
            f"{FLOW}  - menu: Да?\n    no_input: end\n    2 Нет: end\n    1 Да:\n      - say: x\n",
            f"{FLOW}  - menu: Да?\n    2 Нет: end\n    1 Да:\n      - say: x\n    no_input: end\n",
        ),
        ("flow:\n  ussd: \"*1#\"\n  title: т\n", 'flow:\n  title: т\n  ussd: "*1#"\n'),
    ],
)  # fmt: skip
def test_what_is_put_right(written: str, right: str):
    assert form(written) == right
    assert form(right) == right


@pytest.mark.parametrize(
    "written",
    [
        f"{FLOW}  - ask: Сколько?\n    save: n\n    tries: 3\n",
        f"{FLOW}  - set: {{ a: 0 }}\n",
        f"{FLOW}  - when:\n      b: go\n      a: stop\n",
        f"{FLOW}  - refuse:\n      b: Нет.\n      a: Да.\n",
        f"{FLOW}  - ask: Код?\n    save: c\n\n    type: digits\n",
        f"{FLOW}  - {{ ask: Код?, save: c, type: digits }}\n",
        f"{FLOW}  - ask: Код?\n    save: c\n    typ: digits\n    tries: 2\n",
        f"{FLOW}  - end: Нажмите # для повтора\n",
        "flow: [\n",
        "",
    ],
)
def test_what_is_left_alone(written: str):
    assert form(written) == written


def test_line_breaks_and_the_byte_order_mark_stay():
    text = "\ufeffflow:\r\n  sms: 9290\r\nstart:\r\n  - save: a\r\n    request: b.x\r\n"
    right = '\ufeffflow:\r\n  sms: "9290"\r\nstart:\r\n  - request: b.x\r\n    save: a\r\n'
    assert form(text) == right


def test_a_test_file_has_quotes_only():
    text = "tests:\n  т:\n    - dial: 0890\n      from: 79160000001\n    - press: 1\n    - see: 490\n"
    right = 'tests:\n  т:\n    - dial: "0890"\n      from: "79160000001"\n    - press: 1\n    - see: "490"\n'
    assert form(text, "flows/f.test.yaml") == right


@pytest.mark.parametrize("name", FILES)
def test_every_shipped_file_is_in_its_form(name: str):
    assert formed(text_of(name), name).changes == ()


def shuffled(text: str, source: random.Random) -> str:
    """Put the fields of every step into another order, menu lines among themselves apart."""
    for number in range(200):
        tree = read_tree(text, "f.yaml", Report())
        assert tree is not None
        tables = [table for table, _ in _tables(tree) if not table.flow and len(table) > 2]
        if number >= len(tables):
            break
        table = tables[number]
        lines = [at for at, entry in enumerate(table) if entry.key.value[:1] in "0123456789*#"]
        rest = [at for at in range(1, len(table)) if at not in lines]
        source.shuffle(rest)
        order = [0, *rest]
        place = source.randint(1, len(order))
        order[place:place] = lines
        changed = reordered(text, source_lines(text), table, order)
        if changed is not None and meaning(changed) == meaning(text):
            text = changed
    return text


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.sampled_from(FLOWS), st.integers(0, 2**32))
def test_a_flow_in_disorder_comes_into_its_form(name: str, seed: int):
    text = text_of(name)
    disordered = shuffled(text, random.Random(seed))
    right = form(disordered, name)
    assert meaning(right) == meaning(text)
    assert form(right, name) == right
    assert sorted(source_lines(right)) == sorted(source_lines(text))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(FILES), st.data())
def test_a_file_with_lines_lost_is_never_made_worse(name: str, data: st.DataObject):
    lines = text_of(name).split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                del lines[at]
            case 1:
                lines[at] = lines[at].replace('"', "")
            case 2:
                lines.insert(
                    at, data.draw(st.sampled_from(["# слово", "", "  ", "\t", "- x", "  }", "a: [1"]))
                )
            case _:
                lines[at] = " " + lines[at]
        lines = lines or [""]
    text = "\n".join(lines)
    before = Report()
    tree = read_tree(text, name, before)
    right = formed(text, name).text
    after = Report()
    again = read_tree(right, name, after)
    assert after.has_errors <= before.has_errors
    if tree is not None:
        assert again is not None
        assert plain_value(again) == plain_value(tree)
    assert formed(right, name).text == right


def played(texts: dict[str, str]) -> Rehearsal:
    flows, report = compile_project(texts)
    assert flows is not None
    assert not report.has_errors
    return rehearse(flows, PROJECT.tests)


def test_flows_brought_back_into_their_form_behave_as_before():
    """All tests of all shipped flows, on flows whose fields were shuffled and put in order again."""
    source = random.Random(7)
    texts = dict(PROJECT.texts)
    for name in FLOWS:
        texts[name] = form(shuffled(texts[name], source), name)
    one, other = played(dict(PROJECT.texts)), played(texts)
    assert [outcome.transcript for outcome in one.outcomes] == [
        outcome.transcript for outcome in other.outcomes
    ]
    assert [outcome.failure is None for outcome in one.outcomes] == [
        outcome.failure is None for outcome in other.outcomes
    ]


# The command


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "f.yaml").write_text("flow:\n  sms: 9290\nstart:\n  - end: Да.\n", "utf-8")
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["fmt", *map(str, arguments)])


def test_findings_are_printed_and_nothing_is_written(project: Path):
    result = run(project)
    assert result.exit_code == 1
    assert (
        'flows/f.yaml:2:8: hint: quote "9290": other YAML tools read it as something else [form]'
        in result.output
    )
    assert "2 |   sms: 9290" in result.output
    assert "9290\n" in (project / "flows" / "f.yaml").read_text("utf-8")


def test_fix_writes_the_file_once(project: Path):
    file = project / "flows" / "f.yaml"
    file.chmod(0o640)
    result = run("--fix", file)
    assert (result.exit_code, result.output) == (0, f"{file.as_posix()}: 1 thing put right\n")
    assert 'sms: "9290"' in file.read_text("utf-8")
    assert file.stat().st_mode & 0o777 == 0o640
    assert run(project).output == "1 file, nothing to put right\n"
    assert sorted(path.name for path in file.parent.iterdir()) == ["f.yaml"]


def test_as_data(project: Path):
    data = json.loads(run("--json", project).output)
    assert data["files"] == 1
    assert data["findings"][0]["line"] == 2


def test_a_file_that_is_not_utf8_is_left_alone(project: Path):
    file = project / "flows" / "f.yaml"
    file.write_bytes("flow:\n  sms: 9290\n  title: да\n".encode("windows-1251"))
    before = file.read_bytes()
    result = run("--fix", file)
    assert "is not UTF-8, left as it is" in result.stderr
    assert file.read_bytes() == before


def test_a_folder_without_flows_is_told(tmp_path: Path):
    result = run(tmp_path)
    assert result.exit_code == 1
    assert "has no flows" in result.output
