"""`agi:`, `asterisk:` and `charging:` of the settings."""

import pytest

from engine.reading.diagnostic import Report
from gateway.settings import Settings, read_settings


def read(text: str, **environment: str) -> tuple[Settings | None, list[str]]:
    report = Report()
    settings = read_settings(text, environment, report)
    return settings, [one.message for one in report.diagnostics]


def test_without_them_nobody_listens_and_everything_charges():
    settings, _ = read("http: 127.0.0.1:0\n")
    assert settings is not None
    assert (settings.agi, settings.asterisk, settings.charging) == (None, (), True)


def test_everything_is_read():
    settings, problems = read(
        "charging: no\n"
        "agi: { listen: 0.0.0.0:4574, peers: [10.0.0.0/24], token: env.AGI_TOKEN, limit: 10m, calls: 300 }\n"
        "asterisk:\n  main: { ami: 10.0.0.2:5038, secret: env.AMI_SECRET, number: '0890', ring: 30s }\n",
        AGI_TOKEN="a1b2c3",
        AMI_SECRET="quiet",
    )
    assert settings is not None, problems
    agi, (asterisk,) = settings.agi, settings.asterisk
    assert agi is not None
    assert (agi.host, agi.port, agi.peers, agi.token) == ("0.0.0.0", 4574, ("10.0.0.0/24",), "a1b2c3")
    assert (agi.limit_ms, agi.calls, settings.charging) == (600_000, 300, False)
    assert (asterisk.name, asterisk.host, asterisk.number, asterisk.ring_ms) == (
        "main",
        "10.0.0.2",
        "0890",
        30_000,
    )
    assert "quiet" not in repr(settings)
    assert "a1b2c3" not in repr(settings)


def test_the_environment_opens_the_line():
    settings, problems = read("store: sqlite:x.db\n", GUDOK_AGI__LISTEN="127.0.0.1:4999")
    assert settings is not None, problems
    assert settings.agi is not None
    assert settings.agi.port == 4999


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("agi: { peers: [office] }\n", "agi.peers: 'office' is no address"),
        ("agi: { token: 'a,b' }\n", "agi.token: letters and digits is expected"),
        ("agi: { sounds: ../etc }\n", "agi.sounds: a folder below the sounds of Asterisk is expected"),
        ("agi: { made: /var/x }\n", "agi.made: a folder below the sounds of Asterisk is expected"),
        (
            "asterisk: { main: { secret: x, number: '0890&1' } }\n",
            "asterisk.main.number: a number in digits is expected",
        ),
    ],
)
def test_what_asterisk_would_read_as_something_else_is_refused(text: str, wanted: str):
    settings, problems = read(text)
    assert settings is None
    assert wanted in problems
