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
    (tmp_path / "config" / "dialects").mkdir()
    (tmp_path / "config" / "dialects" / "standard.yaml").write_text("{}\n")
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


def test_durations_are_shown_as_they_are_written(project: Path) -> None:
    found = {one["path"]: one["value"] for one in json.loads(run(project, "--json"))}
    assert (found["drain"], found["smpp.main.response"], found["smpp.main.tls"]) == ("10s", "30s", "no")


def test_an_unknown_dialect_is_refused(project: Path) -> None:
    variables = {"SMPP_PASSWORD": "x", "GUDOK_SMPP__MAIN__DIALECT": "standart"}
    result = CliRunner().invoke(config, [str(project)], env=variables)
    assert result.exit_code == 1
    assert "there is no dialect standart" in result.output
    assert "environment GUDOK_SMPP__MAIN__DIALECT" in result.output


def test_a_missing_password_is_one_error(project: Path) -> None:
    result = CliRunner().invoke(config, [str(project)], env={"SMPP_PASSWORD": None})
    assert result.exit_code == 1
    assert result.output.endswith("\n1 error\n")
