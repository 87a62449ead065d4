"""The programs that speak: hostile texts, bounds, and espeak-ng itself where it is installed."""

from __future__ import annotations

import os
import stat

import pytest

from gateway.speech.synthesis import Program, SynthesisError, installed, nearest_letters, spoken_text
from gateway.speech.wave import seconds

HOSTILE = "$(touch hacked); `id` [[hello]] <speak> --help -w hacked \n -v en | ${SHELL(id)}"


def program(tmp_path, script, **within):
    path = tmp_path / "voice"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    made = Program(str(path), "test", ("-x",), {"ru": ("-v", "ru")})
    for name, value in within.items():
        setattr(made, name, value)
    return made


def test_a_text_is_one_line_without_markup():
    assert spoken_text("Раз\nдва\t[[три]] <b>\ue000четыре\0") == "Раз два три b четыре"
    assert len(spoken_text("а" * 9_000)) == 2_000
    assert spoken_text("а\ud800б") == "аб"


@pytest.mark.parametrize("text", ["", " . — ", "[[]]", "\0"])
def test_there_has_to_be_something_to_say(text):
    with pytest.raises(SynthesisError, match="nothing to speak"):
        spoken_text(text)


def test_tajik_is_written_for_a_russian_voice():
    assert nearest_letters("Ҷавоб: ҳафт, қарз, ғайр, сӣ, нӯҳ") == "Джавоб: хафт, карз, гайр, си, нух"


async def test_a_text_comes_by_stdin_alone(tmp_path):
    seen = tmp_path / "seen"
    voice = program(tmp_path, f'printf "%s " "$@" > {seen}; cat >> {seen}; exit 3')
    with pytest.raises(SynthesisError, match="status 3"):
        await voice.speak(HOSTILE, "ru")
    assert seen.read_text().startswith("-x -v ru $ (touch hacked);".replace("$ ", "$"))
    assert "[[" not in seen.read_text()


async def test_nothing_is_passed_on_of_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GUDOK_SECRET_KEY", "hidden")
    seen = tmp_path / "seen"
    with pytest.raises(SynthesisError):
        await program(tmp_path, f"env > {seen}; cat > /dev/null").speak("Раз", "ru")
    assert "hidden" not in seen.read_text()


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("cat > /dev/null", "no WAV"),
        ("exit 1", "status 1|Broken pipe|reset"),
        ("cat > /dev/null; yes | head -c 40000000", "longer than"),
    ],
)
async def test_a_program_that_fails_is_named(tmp_path, script, reason):
    with pytest.raises(SynthesisError, match=reason):
        await program(tmp_path, script).speak("Раз", "ru")


async def test_a_program_that_hangs_is_ended(tmp_path):
    pid = tmp_path / "pid"
    with pytest.raises(SynthesisError, match="longer than"):
        await program(tmp_path, f"echo $$ > {pid}; exec cat /dev/zero > /dev/null", within_s=0.3).speak(
            "Раз", "ru"
        )
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_a_program_that_is_gone_and_a_language_it_lacks(tmp_path):
    missing = Program(str(tmp_path / "nothing"), "test", (), {"ru": ()})
    with pytest.raises(SynthesisError, match="No such file"):
        await missing.speak("Раз", "ru")
    with pytest.raises(SynthesisError, match="no voice for xx"):
        await missing.speak("Раз", "xx")


def test_an_unknown_synthesiser_is_not_installed():
    assert installed("nobody") is None


@pytest.fixture
def espeak():
    found = installed("espeak-ng")
    assert found is not None
    return found


@pytest.mark.espeak
async def test_espeak_speaks_the_languages_of_the_demo(espeak):
    for lang, text in (
        ("ru", "Сто пятьдесят три рубля."),
        ("en", "One hundred roubles."),
        ("tg", "Сад сомонӣ."),
    ):
        assert 0.8 < seconds(await espeak.speak(text, lang)) < 6


@pytest.mark.espeak
async def test_espeak_takes_hostile_texts_as_words(espeak, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert seconds(await espeak.speak(HOSTILE, "ru")) > 1
    assert list(tmp_path.iterdir()) == []


async def test_what_a_program_leaves_running_does_not_hold_a_call(tmp_path):
    with pytest.raises(SynthesisError, match="longer than"):
        await program(tmp_path, "cat > /dev/null; tail -f /dev/null & exit 0", within_s=0.3).speak(
            "Раз", "ru"
        )
