"""`gudok queue` over a store file, while no gateway runs."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.store.record import Line, TaskKind, TaskRow
from gateway.store.sealing import Sealer, load_or_make_key
from gateway.store.sqlite import SqliteStore

NOW = 1_795_345_200_000
PHONE = "79161234567"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/gateway.yaml").write_text("http: 127.0.0.1:1\n", encoding="utf-8")
    key = load_or_make_key(tmp_path / "data/secret.key")
    store = SqliteStore(tmp_path / "data/gudok.db", Sealer(key), reserve_size=0)
    batch = store.batch()
    row = TaskRow(
        1, TaskKind.QUESTION, "support", PHONE, NOW, NOW, NOW, lines=(Line(NOW, "subscriber", "Где\x1b[2J?"),)
    )
    batch.group().task(row)
    store.commit_now(batch)
    store.close()
    return tmp_path


def run(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["queue", "--project", str(project), *arguments])


def test_the_list_names_nobody(project: Path) -> None:
    result = run(project, "list")
    assert result.exit_code == 0, result.output
    assert "support" in result.output
    assert "7916***4567" in result.output
    assert PHONE not in result.output
    assert run(project, "list", "--closed").output == "no task is closed\n"
    assert run(project, "list", "--queue", "other").output == "no task is open\n"


def test_one_task_is_shown_whole_and_steers_no_terminal(project: Path) -> None:
    result = run(project, "show", "1")
    assert result.exit_code == 0, result.output
    assert PHONE in result.output
    assert "Где" in result.output
    assert "\x1b" not in result.output


def test_as_json(project: Path) -> None:
    result = CliRunner().invoke(main, ["queue", "--project", str(project), "--json", "show", "1"])
    assert json.loads(result.output)["lines"][0]["who"] == "subscriber"


@pytest.mark.parametrize("arguments", [("answer", "1", "x"), ("close", "1", "solved"), ("take", "1")])
def test_to_work_a_task_takes_a_gateway(project: Path, arguments: tuple[str, ...]) -> None:
    result = run(project, *arguments)
    assert result.exit_code == 1
    assert "no gateway runs" in result.output


def test_what_is_not_there_is_said(project: Path) -> None:
    assert "there is no task 7" in run(project, "show", "7").output
    os.unlink(project / "data/secret.key")
    assert "key of the store" in run(project, "show", "1").output
    assert not (project / "data/secret.key").exists()
    for name in ("gudok.db", "gudok.db-wal", "gudok.db-shm"):
        (project / "data" / name).unlink(missing_ok=True)
    assert "there is no store" in run(project, "list").output
