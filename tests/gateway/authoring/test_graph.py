"""`gudok graph`: what leads where, the same text each time, and nothing drawn over something else."""

from __future__ import annotations

import json
import xml.etree.ElementTree as Xml
from itertools import combinations
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.flow_set import FlowSet
from engine.reading.flow_set import compile_project
from gateway.authoring.drawing import Arrow, Box, Drawing, drawing
from gateway.authoring.layout import Layout, layout
from gateway.authoring.mermaid import mermaid
from gateway.authoring.svg import svg
from gateway.cli import main
from gateway.project_files import read_project

ROOT = Path(__file__).resolve().parents[3]
FLOWS = sorted(path.stem for path in (ROOT / "flows").glob("*.yaml") if not path.name.endswith(".test.yaml"))


@pytest.fixture(scope="module")
def flows() -> FlowSet:
    found, _ = compile_project(read_project(ROOT).texts)
    assert found is not None
    return found


def drawn(flows: FlowSet, name: str) -> Drawing:
    flow = flows.flows[name]
    return drawing(flow, flows.sources[flow.file])


def leads(drawing: Drawing) -> set[tuple[str, str, str]]:
    text = {box.id: box.lines[0] for box in drawing.boxes}
    return {(text[arrow.source], arrow.label, text[arrow.target]) for arrow in drawing.arrows}


def test_a_menu_leads_where_its_lines_say(flows: FlowSet):
    found = leads(drawn(flows, "my_account"))
    question = "menu: Баланс {{ a.balance|money }}"
    assert ("request: billing.account", "", question) in found
    assert (question, "2 Тариф", "run: tariff") in found
    assert ("run: tariff", "", "if: channel == 'voice'") in found
    assert ("if: channel == 'voice'", "yes", "start:") in found
    assert ("if: channel == 'voice'", "no", "the flow is left") in found


def test_errors_refusals_and_scenes(flows: FlowSet):
    picture = drawn(flows, "refresh_package")
    found = leads(picture)
    assert ("request: billing.refresh_package", "unknown", "checking:") in found
    assert ("switch: recent('billing.refresh_package')", "unknown", "checking:") in found
    refuse = next(box for box in picture.boxes if box.lines[0] == "refuse")
    assert len(refuse.lines) == 8
    assert refuse.lines[1] == "• На вашем тарифе нельзя обновить пакет."


def test_steps_that_follow_each_other_share_a_box(flows: FlowSet):
    boxes = {box.lines for box in drawn(flows, "marketing_offer").boxes}
    assert any(lines[0] == "remember: no_ads" and len(lines) == 2 for lines in boxes)


@pytest.mark.parametrize("name", FLOWS)
def test_every_shipped_flow_is_drawn_the_same_each_time(flows: FlowSet, name: str):
    picture = drawn(flows, name)
    ids = [box.id for box in picture.boxes]
    assert len(ids) == len(set(ids))
    assert {end for arrow in picture.arrows for end in (arrow.source, arrow.target)} <= set(ids)
    assert svg(picture) == svg(drawn(flows, name))
    assert mermaid(picture) == mermaid(drawn(flows, name))
    root = Xml.fromstring(svg(picture))
    texts = [part.text for part in root.iter("{http://www.w3.org/2000/svg}text")]
    for box in picture.boxes:
        assert set(box.lines) <= set(texts)


def placed(picture: Drawing) -> Layout:
    sizes = {box.id: (120.0, 30.0) for box in picture.boxes}
    labels = {number: (80.0, 16.0) for number, arrow in enumerate(picture.arrows) if arrow.label}
    return layout(picture, sizes, labels)


@pytest.mark.parametrize("name", FLOWS)
def test_nothing_covers_anything(flows: FlowSet, name: str):
    nodes = list(placed(drawn(flows, name)).nodes.values())
    for one, other in combinations(nodes, 2):
        beside = abs(one.x - other.x) >= (one.width + other.width) / 2 - 0.01
        below = one.y + one.height <= other.y + 0.01 or other.y + other.height <= one.y + 0.01
        assert beside or below, (one, other)


def test_a_circle_and_a_loop_to_itself_are_laid_out():
    boxes = tuple(Box(name, "step", (name,), 1) for name in "abc")
    ways = (("a", "b"), ("b", "c"), ("c", "a"), ("b", "b"))
    picture = Drawing("т", boxes, tuple(Arrow(one, other, "") for one, other in ways))
    found = placed(picture)
    assert found.nodes["a"].y < found.nodes["b"].y < found.nodes["c"].y
    assert Xml.fromstring(svg(picture)) is not None


def test_signs_of_the_forms_are_escaped():
    picture = Drawing('"<т>', (Box("a", "step", ('<b> "x" | {y} & `z`',), 1),), (Arrow("a", "a", "<&>"),))
    assert Xml.fromstring(svg(picture)) is not None
    text = mermaid(picture)
    assert "#60;b#62; #34;x#34; #124; #123;y#125; #38; #96;z#96;" in text
    assert 'title: "\\"<т>"' in text


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["graph", *map(str, arguments)])


def test_the_command_writes_its_forms(tmp_path: Path):
    assert "flowchart TD" in run("tips", ROOT).output
    assert run("flows/tips.yaml", ROOT, "--svg").output.startswith("<svg ")
    assert json.loads(run("tips", ROOT, "--json").output)["boxes"]
    assert run("tips", ROOT, "--svg", "-o", tmp_path / "tips.svg").output == ""
    assert (tmp_path / "tips.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_a_flow_that_is_not_there_is_told():
    result = run("tip", ROOT)
    assert result.exit_code == 1
    assert 'there is no flow "tip"; did you mean "tips"?' in result.output


def test_a_broken_flow_does_not_keep_the_others_from_being_drawn(tmp_path: Path):
    (tmp_path / "config").mkdir()
    (tmp_path / "flows").mkdir()
    (tmp_path / "config" / "project.yaml").write_text("language: 1\nlanguages: [ru]\n", "utf-8")
    (tmp_path / "flows" / "good.yaml").write_text("flow: { title: т }\nstart:\n  - end: Да.\n", "utf-8")
    (tmp_path / "flows" / "bad.yaml").write_text("flow: { title: т }\nstart:\n  - ende: Да.\n", "utf-8")
    assert "end: Да." in run("good", tmp_path).output
    result = run("bad", tmp_path)
    assert result.exit_code == 1
    assert "flows/bad.yaml has errors" in result.output
