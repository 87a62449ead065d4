"""WAV bytes: read with caution, brought to 8 kHz without what would fold back, cut, written."""

from __future__ import annotations

import math
import struct
from array import array
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.speech.wave import RATE, WaveError, read_wave, resampled, seconds, to_telephone, trimmed, written


def tone(hertz, rate, length=0.5, level=10_000):
    return array(
        "h", (round(level * math.sin(2 * math.pi * hertz * at / rate)) for at in range(int(rate * length)))
    )


def wave(samples, rate, channels=1, bits=16, size=None):
    body = samples.tobytes()
    form = struct.pack("<HHIIHH", 1, channels, rate, 2 * rate * channels, 2 * channels, bits)
    size = len(body) if size is None else size
    return b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + form + b"data" + struct.pack("<I", size) + body


def level(samples):
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return math.sqrt(sum(value * value for value in middle) / len(middle)) * math.sqrt(2)


@pytest.mark.parametrize("rate", [11_025, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("hertz", [300, 1_000, 3_000])
def test_speech_keeps_its_level_and_pitch(rate, hertz):
    found = resampled(tone(hertz, rate), rate)
    assert level(found) == pytest.approx(10_000, rel=0.03)
    crossings = sum(1 for one, two in pairwise(found) if one < 0 <= two)
    assert crossings == pytest.approx(hertz * 0.5, abs=3)
    assert len(found) == pytest.approx(RATE / 2, abs=2)


@pytest.mark.parametrize("rate", [16_000, 22_050, 48_000])
def test_what_a_telephone_cannot_carry_does_not_fold_back(rate):
    assert level(resampled(tone(5_500, rate), rate)) < 300


def test_a_lower_rate_is_raised():
    assert level(resampled(tone(500, 6_000), 6_000)) == pytest.approx(10_000, rel=0.05)


def test_silence_at_the_ends_is_cut():
    speech = array("h", bytes(RATE)) + tone(700, RATE) + array("h", bytes(3 * RATE))
    assert len(trimmed(speech)) / RATE == pytest.approx(0.6, abs=0.05)
    assert len(trimmed(array("h", bytes(2 * RATE)))) < RATE / 4


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_a_length_written_into_a_pipe_means_to_the_end(size):
    rate, samples = read_wave(wave(tone(500, RATE), RATE, size=size))
    assert (rate, len(samples)) == (RATE, RATE // 2)


def test_two_channels_become_one():
    left, right = tone(500, RATE), array("h", bytes(RATE))
    both = array("h", (value for pair in zip(left, right, strict=True) for value in pair))
    _, samples = read_wave(wave(both, RATE, channels=2))
    assert level(samples) == pytest.approx(5_000, rel=0.01)


def test_what_is_written_can_be_read():
    data = to_telephone(wave(tone(500, 22_050), 22_050))
    assert data[:4] == b"RIFF"
    assert seconds(data) == pytest.approx(0.6, abs=0.1)
    assert written(read_wave(data)[1]) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no WAV"),
        (b"RIFF\0\0\0\0WAVE", "no sound"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "how it is written"),
        (wave(tone(500, 8_000), 8_000, bits=8), "16 bits"),
        (wave(tone(500, 8_000), 8_000, channels=5), "16 bits"),
        (wave(tone(500, 8_000), 1), "no rate of speech"),
        (wave(tone(500, 8_000), 4_000_000), "no rate of speech"),
    ],
)
def test_what_is_no_sound_is_refused(data, reason):
    with pytest.raises(WaveError, match=reason):
        to_telephone(data)


@given(st.binary(max_size=120), st.integers(0, 60))
@settings(max_examples=300, derandomize=True, deadline=None)
def test_any_bytes_are_a_sound_or_refused(noise, at):
    good = wave(tone(500, 8_000, 0.01), 8_000)
    for data in (noise, good[:at] + noise + good[at + len(noise) :], good[:at]):
        with suppress(WaveError):
            assert to_telephone(data)[:4] == b"RIFF"
