"""`gudok serve` when it cannot start, and what it says when it has."""

import asyncio
import socket
from pathlib import Path

import pytest
import structlog

from gateway.app import Gateway
from gateway.demo.project import PLAYED
from gateway.settings import Settings
from gateway.start_error import StartError

ROOT = Path(__file__).parents[3]
ADDRESSES = dict.fromkeys(PLAYED, "http://127.0.0.1:1")


def gateway(data: Path, port: int) -> Gateway:
    return Gateway(ROOT, Settings(store=data / "gudok.db", http_port=port), ADDRESSES)


async def test_a_taken_port_names_the_setting_and_the_port(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        one = gateway(tmp_path, port)
        try:
            with pytest.raises(StartError) as refused:
                await one.start()
        finally:
            await one.close()
    assert f"http: 127.0.0.1:{port} is taken" in str(refused.value)
    assert "GUDOK_HTTP" in str(refused.value)


async def test_the_start_is_logged_with_the_address_of_the_pages(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logged:
        one = gateway(tmp_path, 0)
        await one.start()
        await asyncio.sleep(0)
        await one.close()
    (started,) = [line for line in logged if line["event"] == "started"]
    assert started["http"].startswith("http://127.0.0.1:")
    assert not started["http"].endswith(":0/")


def test_a_missing_password_is_one_error(gudok, monkeypatch) -> None:
    monkeypatch.delenv("SMPP_PASSWORD", raising=False)
    result = gudok("serve", ROOT)
    assert result.exit_code == 1
    assert "the environment has no SMPP_PASSWORD" in result.output
    assert result.output.endswith("\n1 error\n")
