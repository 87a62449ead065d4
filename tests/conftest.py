"""What all tests share: services that may be missing, and the order to miss none of them.

A test marked `node`, `asterisk` and so on is left out where the service is not there, and pytest says so.
With GUDOK_REQUIRE_SERVICES=1 (as in .ci/run) a test that is left out, for whatever reason, has failed.
"""

import os
import shutil
import subprocess
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest
import structlog

from tests.asterisk.server import missing as asterisk_missing

PEERS = Path(__file__).parent / "peers"
REMEDY = "make test-services installs it"


def _node() -> str | None:
    if shutil.which("node") is None:
        return f"Node.js is missing: {REMEDY}"
    modules = Path(os.environ.get("GUDOK_NODE_MODULES") or PEERS / "node_modules")
    return None if (modules / "smpp").is_dir() else f"the npm package smpp is missing: {REMEDY}"


def _chromium() -> str | None:
    if shutil.which("chromium") is None or shutil.which("chromedriver") is None:
        return f"Chromium or its driver is missing: {REMEDY}"
    return None


@cache
def _perl() -> str | None:
    perl = shutil.which("perl")
    command = [perl or "perl", "-MNet::SMPP", "-MJSON::PP", "-e", "1"]
    found = perl is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0
    return None if found else f"Perl's Net::SMPP is missing: {REMEDY}"


def _kannel() -> str | None:
    return None if kannel_box("bearerbox") and kannel_box("smsbox") else f"Kannel is missing: {REMEDY}"


def kannel_box(name: str) -> str | None:
    """Find a program of Kannel: /usr/sbin is not on everybody's path."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def _espeak() -> str | None:
    return None if shutil.which("espeak-ng") else f"espeak-ng is missing: {REMEDY}"


SERVICES = {
    "node": _node,
    "chromium": _chromium,
    "perl": _perl,
    "kannel": _kannel,
    "espeak": _espeak,
    "asterisk": asterisk_missing,
}


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers of services that few tests need."""
    config.addinivalue_line("markers", "asterisk: needs Asterisk 22, brought by `make asterisk`")
    config.addinivalue_line("markers", "espeak: needs Debian's espeak-ng")
    config.addinivalue_line("markers", "perl: needs Perl with Net::SMPP, Debian's libnet-smpp-perl")
    config.addinivalue_line("markers", "kannel: needs Debian's kannel")


def _required() -> bool:
    return os.environ.get("GUDOK_REQUIRE_SERVICES", "") not in {"", "0"}


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Generator[None, None, None]:
    """No test sees the log level or the stream that another one has set."""
    yield
    structlog.reset_defaults()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out whose service is missing."""
    for marker, missing in SERVICES.items():
        if item.get_closest_marker(marker) is not None:
            reason = missing()
            if reason is not None:
                pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With GUDOK_REQUIRE_SERVICES turn a skip into a failure."""
    report = yield
    if report.skipped and _required():
        report.outcome = "failed"
        report.longrepr = f"left out, but GUDOK_REQUIRE_SERVICES is set: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that leaves itself out as a whole."""
    report = yield
    if report.skipped and _required():
        report.outcome = "failed"
        report.longrepr = f"left out, but GUDOK_REQUIRE_SERVICES is set: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    return str(report.longrepr)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line how many tests were left out and how to have them."""
    left_out = terminalreporter.stats.get("skipped", [])
    if left_out:
        reasons = sorted({_reason(report).removeprefix("Skipped: ") for report in left_out})
        terminalreporter.write_line(
            f"left out: {len(left_out)} tests. " + " ".join(f"{one}." for one in reasons)
        )
