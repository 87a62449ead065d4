"""Turns leave nothing to the collector of cycles: with many open sessions its pauses would be heard."""

from __future__ import annotations

import gc
from pathlib import Path

from engine.inputs import Begin, Text
from engine.machine import advance, begin
from engine.reading.diagnostic import Report
from engine.reading.flow_set import load_project

ROOT = Path(__file__).parents[3] / "benchmarks/flow"
NOW = 1_795_345_200_000
DIALOGUES = 20


def test_a_dialogue_makes_no_reference_cycles() -> None:
    files = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in (ROOT / "config/project.yaml", ROOT / "flows/menu.yaml")
    }
    flows, report = load_project(files)
    assert isinstance(report, Report)
    assert flows is not None, report.diagnostics
    start = flows.dial("*929#")
    assert start is not None
    gc.collect()
    gc.disable()
    try:
        for _ in range(DIALOGUES):
            session = begin(flows, channel="ussd", caller="79161234567", called="*929#", lang="en", now=NOW)
            for given in (Begin(start.flow, start.arguments, start.ahead), Text("1"), Text("1")):
                turn = advance(flows, session, given, NOW)
                session = turn.session
            assert turn.effects[-1].text == "Done 79161234567. The package is refreshed until 30.11"  # type: ignore[union-attr]
        del turn, session
        assert gc.collect() == 0
    finally:
        gc.enable()
