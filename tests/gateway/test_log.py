"""Logs: no number in clear, no line drawn by a subscriber."""

import io
import json

import pytest
import structlog

from gateway import log


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("79161234567", "7916***4567"),
        ("from 79161234567 to 9290", "from 7916***4567 to 9290"),
        ("*929#", "*929#"),
        ("a\nb\x1b[31m", "a\\u000ab\\u001b[31m"),
        ("abc\u202etxt", "abc\\u202etxt"),
    ],
)
def test_masking(text: str, shown: str) -> None:
    assert log.masked_text(text) == shown


def test_a_line_masks_every_value() -> None:
    out = io.StringIO()
    log.configure(as_json=True, stream=out)
    structlog.get_logger().info("sms_queued", to="79161234567", text="код\n79161234567")
    line = json.loads(out.getvalue())
    assert line["event"] == "sms_queued"
    assert line["to"] == "7916***4567"
    assert "79161234567" not in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_a_lower_level_is_not_written() -> None:
    out = io.StringIO()
    log.configure(level="warning", as_json=True, stream=out)
    structlog.get_logger().info("quiet")
    assert out.getvalue() == ""


def test_a_fault_is_shown_with_its_lines_but_without_the_value_it_met() -> None:
    out = io.StringIO()
    log.configure(as_json=True, stream=out)
    typed = "4321" + "canary"
    try:
        int(typed)
    except ValueError:
        structlog.get_logger().error("fault", exc_info=True)
    line = json.loads(out.getvalue())
    assert "test_log.py" in line["exception"]
    assert line["exception"].endswith("ValueError")
    assert "4321canary" not in out.getvalue()


def test_a_fault_of_the_surroundings_says_what_it_is() -> None:
    out = io.StringIO()
    log.configure(as_json=True, stream=out)
    try:
        raise OSError("the disk is gone")
    except OSError:
        structlog.get_logger().error("fault", exc_info=True)
    assert json.loads(out.getvalue())["exception"].endswith("OSError: the disk is gone")
