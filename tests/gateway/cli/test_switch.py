"""`gudok switch` and `gudok export edr`: against a running gateway, and against the store of one at rest."""

import asyncio
import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.export import export
from gateway.cli.switch import switch
from gateway.store.sealing import Sealer, load_or_make_key
from gateway.store.sqlite import SqliteStore
from gateway.web.server import WebServer
from tests.gateway.host.rig import PHONE, lay_out, rigged

SETTINGS = """\
http: 127.0.0.1:{port}
smpp:
  main: {{ host: 127.0.0.1, port: 1, system_id: gudok }}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    lay_out(tmp_path)
    settle(tmp_path, 1)
    return tmp_path


def settle(root: Path, port: int) -> None:
    (root / "config/gateway.yaml").write_text(SETTINGS.format(port=port), encoding="utf-8")


def run(project: Path, *words: str) -> Result:
    return CliRunner().invoke(switch, ["--project", str(project), "--json", *words])


def test_a_gateway_that_rests_has_it_in_its_store(project: Path):
    assert run(project, "off", "ask", "--text", "Позже.").exit_code == 0
    assert run(project, "block", PHONE).exit_code == 0
    listed = json.loads(run(project, "list").stdout)
    assert listed["off"] == {"ask": {"": "Позже."}}
    assert listed["blocked"] == {PHONE: ""}
    told = CliRunner().invoke(switch, ["--project", str(project), "list"])
    assert told.stdout.splitlines() == ["off       ask: Позже.", f"block     {PHONE}"]


def test_an_order_that_makes_no_sense_says_why(project: Path):
    for words, said in (
        (("off", "nowhere"), 'no flow "nowhere"'),
        (("on", "ask"), "is not off"),
        (("block", "12"), "no phone number"),
    ):
        done = run(project, *words)
        assert (done.exit_code, said in done.output) == (1, True)


def test_a_gateway_that_runs_and_does_not_answer_is_not_overruled(project: Path):
    store = SqliteStore(project / "data/gudok.db", _sealer(project))
    try:
        done = run(project, "off", "ask")
        assert done.exit_code == 1
        assert "does not answer" in done.output
    finally:
        store.close()


def _sealer(project: Path) -> Sealer:
    return Sealer(load_or_make_key(project / "data/secret.key"))


async def test_a_running_gateway_obeys_within_the_second(project: Path, monkeypatch: pytest.MonkeyPatch):
    async with rigged(project, monkeypatch) as rig:
        rig.gateway.settings = replace(rig.gateway.settings, http_token=None)
        server = WebServer(rig.gateway, "127.0.0.1", 0)
        await server.start()
        settle(project, server.port)
        try:
            done = await asyncio.to_thread(run, project, "off", "ask", "--text", "Позже.")
            assert done.exit_code == 0, done.output
            await rig.dial("*2#")
            assert rig.texts == ["Позже."]
            refused = await asyncio.to_thread(run, project, "on", "buy")
            assert (refused.exit_code, "is not off" in refused.output) == (1, True)
            listed = await asyncio.to_thread(run, project, "list")
            assert json.loads(listed.stdout)["off"] == {"ask": {"": "Позже."}}
        finally:
            await server.close()


async def test_records_are_exported_while_the_gateway_runs(project: Path, monkeypatch: pytest.MonkeyPatch):
    async with rigged(project, monkeypatch) as rig:
        await rig.write("да", "3")
        rig.clock.advance(24 * 3_600_000)
        await rig.write("да", "3", "79160000001")
        base = ["edr", "--project", str(project)]

        def exported(*words: str) -> str:
            done = CliRunner().invoke(export, [*base, *words])
            assert done.exit_code == 0, done.output
            return done.stdout

        rows = list(csv.DictReader(io.StringIO(exported(), newline="")))
        assert [row["number"] for row in rows] == ["1", "2"]
        lines = [json.loads(one) for one in exported("--json").splitlines()]
        assert [one["flow"] for one in lines] == ["long", "long"]
        day = lines[1]["ended"][:10]
        assert len(exported("--json", "--from", day).splitlines()) == 1
        assert len(exported("--json", "--to", day).splitlines()) == 1
        assert exported("--json", "--from", "2099-01-01") == ""
        assert PHONE not in exported()


def test_there_is_nothing_to_export_before_the_first_start(project: Path):
    done = CliRunner().invoke(export, ["edr", "--project", str(project)])
    assert (done.exit_code, "has not run yet" in done.output) == (1, True)
