"""`gudok queue` over a store file, while no gateway runs."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main, queue
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


@pytest.mark.parametrize(
    "arguments", [("answer", "1", "x"), ("close", "1", "solved"), ("take", "1"), ("figures",)]
)
def test_to_work_a_task_takes_a_gateway(project: Path, arguments: tuple[str, ...]) -> None:
    result = run(project, *arguments)
    assert result.exit_code == 1
    assert "no gateway runs" in result.output


FIGURES = {
    "now": {},
    "within_s": 20,
    "hours": [
        {
            "queue": "support",
            "hour": NOW,
            "offered": 6,
            "answered": 5,
            "abandoned": 1,
            "led_on": 2,
            "mean_wait_s": 12.0,
            "median_wait_s": 3.0,
            "p90_wait_s": 50.0,
            "longest_wait_s": None,
            "in_time_of_answered": 0.8,
            "in_time_of_offered": 2 / 3,
            "mean_talk_s": 60.0,
        }
    ],
    "ratings": [
        {
            "flow": "rate_call",
            "topic": "service",
            "highest": 5,
            "asked": 8,
            "answered": 6,
            "of_highest": 3,
            "share": 0.5,
            "low": 0.188,
            "high": 0.812,
            "response_rate": 0.75,
        }
    ],
}


def test_the_figures_of_the_last_day_are_printed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def ask(settings: object, method: str, path: str, body: object = None) -> object:
        asked.append(path)
        return FIGURES

    monkeypatch.setattr(queue, "ask", ask)
    hour, rated = run(project, "figures", "--within", "30").output.splitlines()
    assert asked == ["/api/queue/figures?within=30"]
    for part in ("support", "offered     6", "12.0 s mean", "3.0 s median", "- longest", "80.0 %", "66.7 %"):
        assert part in hour
    assert rated == ("service (rate_call): 3 of 6 gave 5, 50.0 % (18.8 % to 81.2 %), 75.0 % of 8 answered")


def test_what_is_not_there_is_said(project: Path) -> None:
    assert "there is no task 7" in run(project, "show", "7").output
    os.unlink(project / "data/secret.key")
    assert "key of the store" in run(project, "show", "1").output
    assert not (project / "data/secret.key").exists()
    for name in ("gudok.db", "gudok.db-wal", "gudok.db-shm"):
        (project / "data" / name).unlink(missing_ok=True)
    assert "there is no store" in run(project, "list").output
