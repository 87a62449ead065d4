"""The benchmark of calls still makes its calls: a few, and without a word about time."""

import re
import subprocess
import sys
from pathlib import Path

from benchmarks.agi_load import Channel

ROOT = Path(__file__).parents[2]


def test_a_few_calls_to_the_gateway_and_to_both_echoes():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.calls", "--without", "--rounds=1", "--seconds=0.2", "--rate=20"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("0 calls lost\n")
    ours, least = re.findall(r"commands \((\d+)\):", done.stdout)
    assert int(least) == 4
    assert int(ours) <= 8, "a short call needs no more commands of Asterisk than it did"


async def test_the_variables_that_are_asked_for_together_come_together():
    channel = Channel(5, 0.0)
    reply = channel._reply('GET FULL VARIABLE "${FILTER(0-9+,${CALLERID(num)})}|${UNIQUEID}|${IVR_TYPED}"')
    assert reply == "200 result=1 (79160000005|1790000000.5|)\n"
