"""config/gateway.yaml: what is read, what the environment overrides, what each mistake says."""

from pathlib import Path

import pytest

from engine.reading.diagnostic import Report, render
from gateway.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "config" / "gateway.yaml").read_text()
MINIMAL = "smpp:\n  main:\n    host: smsc.example\n"


def read(text: str, environment: dict[str, str] | None = None) -> tuple[Settings | None, list[str]]:
    report = Report()
    settings = read_settings(text, environment or {}, report)
    return settings, [render(finding) for finding in report.diagnostics]


def test_the_shipped_file_is_complete_but_for_the_password() -> None:
    settings, said = read(SHIPPED, {"SMPP_PASSWORD": "secret08"})
    assert said == []
    assert settings is not None
    (centre,) = settings.centres
    assert (centre.name, centre.link.port, centre.link.binds, centre.link.window) == ("main", 2775, 2, 10)
    assert centre.link.rate == 500
    assert centre.carries == {"ussd", "sms"}


def test_a_password_is_in_no_repr() -> None:
    settings, _ = read(SHIPPED, {"SMPP_PASSWORD": "secret08"})
    assert "secret08" not in repr(settings)


def test_a_key_is_in_no_repr() -> None:
    settings, _ = read(MINIMAL + f"secret_key: '{'ab' * 32}'\n")
    assert settings is not None
    assert settings.secret_key == bytes.fromhex("ab" * 32)
    assert "ab" * 8 not in repr(settings)
    assert "\\xab" not in repr(settings)


def test_the_environment_wins_and_says_so() -> None:
    environment = {"GUDOK_HTTP": "127.0.0.1:9090", "GUDOK_SMPP__MAIN__WINDOW": "50", "SMPP_PASSWORD": "x"}
    settings, said = read(SHIPPED, environment)
    assert said == []
    assert settings is not None
    assert settings.http_port == 9090
    assert settings.centres[0].link.window == 50
    assert settings.origins == {"http": "GUDOK_HTTP", "smpp.main.window": "GUDOK_SMPP__MAIN__WINDOW"}


def test_the_environment_can_add_a_whole_link() -> None:
    settings, said = read("http: 127.0.0.1:0\n", {"GUDOK_SMPP__NORTH__HOST": "10.0.0.1"})
    assert said == []
    assert settings is not None
    assert [centre.name for centre in settings.centres] == ["north"]


@pytest.mark.parametrize(
    ("text", "environment", "wanted"),
    [
        (SHIPPED, {}, "the environment has no SMPP_PASSWORD"),
        ("smpp:\n  main:\n    port: 2775\n", {}, 'needs the field "host"'),
        (MINIMAL + "    window: many\n", {}, "window"),
        (MINIMAL + "    window: 0\n", {}, "window"),
        (MINIMAL + "    windo: 5\n", {}, 'did you mean "window"?'),
        (MINIMAL + "    carries: [ussd, voice]\n", {}, "voice"),
        (MINIMAL + "    system_id: a_name_that_is_too_long\n", {}, "at most 15 characters"),
        (MINIMAL + "    rate: 500\n", {}, "500/s"),
        (MINIMAL + "http: nowhere\n", {}, "127.0.0.1:8080"),
        (MINIMAL + "store: redis://x\n", {}, "sqlite:data/gudok.db"),
        (MINIMAL + "secret_key: short\n", {}, "64 hexadecimal digits"),
        (MINIMAL + "http_token: short\n", {}, "16 characters or more"),
        (MINIMAL + "events: { secret: short }\n", {}, "events.secret: 16 characters"),
        (MINIMAL + f"events: {{ secret: {'s' * 16}, previous: p }}\n", {}, "events.previous: 16 characters"),
        (MINIMAL + "events: { pace: 5/s }\n", {}, 'needs the field "secret"'),
        (MINIMAL + "events: { secret: env.EVENTS_KEY }\n", {}, "the environment has no EVENTS_KEY"),
        (MINIMAL + "edr: { numbers: all }\n", {}, "masked"),
        (MINIMAL + "edr: { every: often }\n", {}, "every"),
        (MINIMAL + "    bulk: 100\n", {}, "bulk"),
        (MINIMAL, {"GUDOK_SMPP__MAIN__BINDS": "0"}, "GUDOK_SMPP__MAIN__BINDS"),
        ("- a\n- b\n", {}, "table"),
    ],
)
def test_a_mistake_is_named(text: str, environment: dict[str, str], wanted: str) -> None:
    settings, said = read(text, environment)
    assert settings is None
    assert any(wanted in one for one in said), said


def test_a_long_password_is_refused_without_being_shown() -> None:
    settings, said = read(MINIMAL + "    password: muchtoolongsecret\n")
    assert settings is None
    assert any("password has at most 8" in one for one in said)
    assert not any("muchtoolongsecret" in one for one in said)


def test_a_misspelt_link_in_the_environment_is_no_new_link() -> None:
    settings, said = read(MINIMAL, {"GUDOK_SMPP__MIAN__HOST": "10.0.0.1", "GUDOK_SMPP__MIAN__PORT": "1"})
    assert settings is None
    assert len(said) == 1
    assert 'no link "mian"; did you mean "main"?' in said[0]
    assert "GUDOK_SMPP__MIAN__HOST" in said[0]


def test_links_that_differ_in_their_number_are_different_links() -> None:
    text = "smpp:\n  smsc1:\n    host: smsc.example\n"
    settings, said = read(text, {"GUDOK_SMPP__SMSC2__HOST": "10.0.0.1"})
    assert said == []
    assert settings is not None
    assert [centre.name for centre in settings.centres] == ["smsc1", "smsc2"]


@pytest.mark.parametrize(
    ("written", "carries"),
    [
        ("ussd,sms", {"ussd", "sms"}),
        ("[sms]", {"sms"}),
        (" ussd , sms,", {"ussd", "sms"}),
        ("ussd", {"ussd"}),
    ],
)
def test_a_list_comes_from_the_environment(written: str, carries: set[str]) -> None:
    settings, said = read(
        MINIMAL, {"GUDOK_SMPP__MAIN__CARRIES": written, "GUDOK_SMPP__MAIN__NUMBERS": "9290,000500"}
    )
    assert said == []
    assert settings is not None
    assert settings.centres[0].carries == carries
    assert settings.centres[0].numbers == {"9290", "000500"}


def test_a_wrong_word_in_such_a_list_names_the_variable() -> None:
    settings, said = read(MINIMAL, {"GUDOK_SMPP__MAIN__CARRIES": "ussd,voice"})
    assert settings is None
    assert any("GUDOK_SMPP__MAIN__CARRIES" in one and "voice" in one for one in said)


def test_a_missing_variable_is_one_error_even_where_the_field_is_required() -> None:
    settings, said = read("smpp:\n  main:\n    host: env.NO_SUCH_HOST\n")
    assert settings is None
    assert len(said) == 1


def test_events_and_records_are_settings() -> None:
    text = (
        MINIMAL
        + "http_token: env.TOKEN\nevents: { secret: env.NEW, previous: env.OLD, pace: 5/s }\n"
        + "edr: { numbers: full, folder: /var/edr, every: 15m, size: 1MiB, keep: 30d }\n"
    )
    keys = {"TOKEN": "t" * 16, "NEW": "n" * 16, "OLD": "o" * 16}
    settings, said = read(text, keys)
    assert said == []
    assert settings is not None
    assert settings.http_token == "t" * 16
    assert settings.events is not None
    assert (settings.events.keys, settings.events.pace) == ((b"n" * 16, b"o" * 16), 5.0)
    assert settings.edr.full_numbers
    assert settings.edr.folder == Path("/var/edr")
    assert (settings.edr.every_ms, settings.edr.size, settings.edr.keep_ms) == (
        900_000,
        1 << 20,
        2_592_000_000,
    )
    assert not any(key in repr(settings) for key in keys.values())


def test_a_file_is_judged_without_its_keys() -> None:
    report = Report()
    text = MINIMAL + "http_token: env.TOKEN\nevents: { secret: env.NEW, previous: env.OLD }\n"
    assert read_settings(text, None, report) is not None, [render(one) for one in report.diagnostics]


def test_events_are_closed_until_somebody_opens_them() -> None:
    settings, _ = read(MINIMAL)
    assert settings is not None
    assert settings.events is None
    assert settings.edr.write
    assert not settings.edr.full_numbers


def test_who_only_asks_a_running_gateway_needs_no_password_of_its_links() -> None:
    text = SHIPPED + "events: { secret: env.EVENTS_KEY }\nhttp_token: env.HTTP_TOKEN\n"
    report = Report()
    assert read_settings(text, {}, report, serving=False) is None
    assert [finding.message for finding in report.diagnostics] == ["the environment has no HTTP_TOKEN"]
    report = Report()
    settings = read_settings(text, {"HTTP_TOKEN": "t" * 32}, report, serving=False)
    assert settings is not None
    assert settings.http_token == "t" * 32
