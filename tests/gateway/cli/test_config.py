"""gudok config: what is in force and where it comes from; no secret is shown."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli.config import config

TEXT = """\
http: 127.0.0.1:9000
smpp:
  main:
    host: smsc.example
    password: env.SMPP_PASSWORD
    window: 20
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "gateway.yaml").write_text(TEXT)
    return tmp_path


def run(project: Path, *options: str, **environment: str) -> str:
    result = CliRunner().invoke(
        config, [str(project), *options], env={"SMPP_PASSWORD": "geheim", **environment}
    )
    assert result.exit_code == 0, result.output
    return result.output


def test_every_value_names_its_origin(project: Path) -> None:
    shown = run(project, "--origin", GUDOK_SMPP__MAIN__WINDOW="50")
    lines = {line.split()[0]: line for line in shown.splitlines()}
    assert "9000" in lines["http"]
    assert "config/gateway.yaml:1" in lines["http"]
    assert "50" in lines["smpp.main.window"]
    assert "environment GUDOK_SMPP__MAIN__WINDOW" in lines["smpp.main.window"]
    assert "default" in lines["smpp.main.port"]
    assert "environment SMPP_PASSWORD" in lines["smpp.main.password"]


def test_a_password_is_dots(project: Path) -> None:
    assert "geheim" not in run(project, "--origin")
    assert "geheim" not in run(project, "--json")


def test_json_is_a_list_of_settings(project: Path) -> None:
    found = {one["path"]: one for one in json.loads(run(project, "--json"))}
    assert found["smpp.main.host"] == {
        "path": "smpp.main.host",
        "value": "smsc.example",
        "origin": "config/gateway.yaml:4",
    }


def test_a_mistake_ends_with_status_1_and_a_place(project: Path) -> None:
    (project / "config" / "gateway.yaml").write_text(TEXT + "    windoww: 5\n")
    result = CliRunner().invoke(config, [str(project)], env={"SMPP_PASSWORD": "x"})
    assert result.exit_code == 1
    assert "config/gateway.yaml:7" in result.output
