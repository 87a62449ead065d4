"""`gudok demo` as a person starts and ends it."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import sys
from pathlib import Path

from click.testing import CliRunner

from gateway.cli.demo import demo
from gateway.demo.project import addresses, find_project

ROOT = Path(__file__).resolve().parents[3]


async def test_one_line_says_where_and_ctrl_c_ends_cleanly(tmp_path: Path) -> None:
    program = "from gateway.cli.demo import demo; demo()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", "-c", program, "--port", "0", "--data", str(tmp_path),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = (await process.stdout.readline()).decode()
        assert re.search(r"open http://127\.0\.0\.1:\d+/ in a browser", line)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    assert "Traceback" not in out.decode()
    assert (tmp_path / "gateway.db").exists()


def test_broken_flows_are_explained_with_their_place(tmp_path: Path) -> None:
    for name in ("flows", "config"):
        shutil.copytree(ROOT / name, tmp_path / name)
    file = tmp_path / "flows" / "tips.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("run: options", "run: optoins"), encoding="utf-8"
    )
    done = CliRunner().invoke(
        demo, ["--port", "0", "--project", str(tmp_path), "--data", str(tmp_path / "data")]
    )
    assert done.exit_code == 1
    assert re.search(r"flows/tips\.yaml:\d+:\d+: error: ", done.output)
    assert "options" in done.output


def test_a_folder_without_flows_is_no_project(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        demo, ["--port", "0", "--project", str(tmp_path), "--data", str(tmp_path / "data")]
    )
    assert done.exit_code == 1
    assert "is no project" in done.output


def test_elsewhere_the_built_in_flows_are_played(tmp_path: Path) -> None:
    assert (find_project(None, tmp_path) / "flows" / "refresh_package.yaml").exists()


def test_every_back_end_without_an_address_is_the_demo_billing(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "backends.yaml").write_text("shop:\n  url: env.SHOP_URL\nnetwork:\n  url: env.NETWORK_URL\n")
    found = addresses(tmp_path, {"NETWORK_URL": "http://10.0.0.1"}, "http://127.0.0.1:9")
    assert found["SHOP_URL"] == found["BILLING_URL"] == found["CRM_URL"] == "http://127.0.0.1:9"
    assert found["NETWORK_URL"] == "http://10.0.0.1"
