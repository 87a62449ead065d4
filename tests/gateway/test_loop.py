"""The gateway runs on uvloop where that is installed, and without it."""

import subprocess
import sys

import pytest

TOLD = """
import asyncio, sys
if sys.argv[1] == "without":
    sys.modules["uvloop"] = None
from gateway.loop import run

async def main():
    return type(asyncio.get_running_loop()).__module__

print(run(main()))
"""


@pytest.mark.parametrize(("way", "loop"), [("with", "uvloop"), ("without", "asyncio.unix_events")])
def test_the_loop_is_the_fastest_that_is_installed(way: str, loop: str):
    said = subprocess.run(
        [sys.executable, "-c", TOLD, way], capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == loop
