"""What how-to pages hold beside flows and commands: settings, a dialect, the sender of an event."""

from __future__ import annotations

import importlib.util
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from engine.reading.diagnostic import Report, Severity
from gateway.settings import read_settings
from gateway.web.signature import HEADER, complaint
from tests.docs.document import ROOT, Saved, blocks, steps
from ussd.dialect_file import read_dialect

FOLDER = ROOT / "docs" / "how-to"
SETTINGS = [
    (path.name, text)
    for path in (*sorted(FOLDER.glob("*.md")), ROOT / "docs" / "operate.md")
    for text in blocks(path, "yaml")
    if text.startswith(("smpp:", "# config/gateway.yaml"))
]
KEY = b"0123456789abcdef"


def errors(report: Report) -> list[str]:
    return [one.message for one in report.diagnostics if one.severity is Severity.ERROR]


@pytest.mark.parametrize(
    ("page", "text"), SETTINGS, ids=[f"{page}-{n}" for n, (page, _) in enumerate(SETTINGS)]
)
def test_settings_of_a_page_are_read(page: str, text: str):
    if "smpp:" in text and "host:" not in text:
        text += "    host: 127.0.0.1\n"
    report = Report()
    settings = read_settings(text, None, report)
    assert errors(report) == [], page
    assert settings is not None
    assert settings.centres or settings.agi


def test_the_dialect_of_the_page_is_one():
    (saved,) = [step for step in steps(FOLDER / "dialect.md") if isinstance(step, Saved)]
    report = Report()
    dialect = read_dialect(saved.text, saved.path, report)
    assert errors(report) == []
    assert dialect is not None
    assert dialect.page_gsm7 == 160


def test_every_shipped_dialect_is_on_the_page():
    page = (FOLDER / "dialect.md").read_text(encoding="utf-8")
    for path in (ROOT / "config" / "dialects").glob("*.yaml"):
        assert f"| `{path.stem}` |" in page


def test_the_sender_of_the_page_is_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (source,) = blocks(FOLDER / "events.md", "python")
    file = tmp_path / "sender.py"
    file.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("sender", file)
    assert spec is not None
    assert spec.loader is not None
    sender = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sender)
    sent: list[urllib.request.Request] = []

    class Answered:
        status = 202

        def __enter__(self) -> Answered:
            return self

        def __exit__(self, *_: Any) -> None:
            return None

    def urlopen(request: urllib.request.Request) -> Answered:
        sent.append(request)
        return Answered()

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    monkeypatch.setattr(sender.time, "time", lambda: 1_700_000_000.0)
    event = {"id": "17", "area": "Тверь", "reports": []}
    assert sender.send("http://127.0.0.1:8080/events/network.repaired", KEY, event) == 202
    (request,) = sent
    assert isinstance(request.data, bytes)
    assert json.loads(request.data) == event
    header = request.get_header(HEADER.capitalize())
    assert complaint(header, request.data, [KEY], 1_700_000_000) is None
    assert complaint(header, request.data + b" ", [KEY], 1_700_000_000) is not None
