"""Sounds as bytes: WAV read with all caution, brought to 8 kHz, 16 bit, one channel, silence cut, written."""

from __future__ import annotations

import math
import operator
import struct
from array import array
from functools import cache

RATE = 8_000
"""Samples a second of everything that is played."""

_LOWEST_RATE, _HIGHEST_RATE = 4_000, 192_000
_SILENCE = 200  # of 32 767
_KEPT_BEFORE, _KEPT_BEHIND = RATE // 50, RATE // 12
_SIDE = 12  # zero crossings of the filter on each side


class WaveError(Exception):
    """The bytes are no WAV that we can play; the message says why."""


def read_wave(data: bytes) -> tuple[int, array[int]]:
    """Return the rate and the samples of a 16-bit WAV, its channels made one.

    A length of the data that is none, as programs write into a pipe, means up to the end. Raises WaveError.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise WaveError("it is no WAV file")
    at, form = 12, None
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt " and len(body) >= 16:
            form = struct.unpack_from("<HHIIHH", body)
        elif name == b"data":
            return _samples(form, body or data[at + 8 :])
        at += 8 + size + size % 2
    raise WaveError("it has no sound in it")


def _samples(form: tuple[int, ...] | None, body: bytes) -> tuple[int, array[int]]:
    if form is None:
        raise WaveError("it does not say how it is written")
    code, channels, rate, _, _, bits = form
    if code not in (1, 0xFFFE) or bits != 16 or not 1 <= channels <= 2:
        raise WaveError("it is not PCM of 16 bits")
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise WaveError(f"{rate} Hz is no rate of speech")
    samples = array("h")
    samples.frombytes(body[: len(body) // (2 * channels) * 2 * channels])
    if struct.pack("=h", 1) != struct.pack("<h", 1):
        samples.byteswap()
    if channels == 2:
        samples = array("h", map(lambda a, b: (a + b) // 2, samples[::2], samples[1::2]))
    return rate, samples


def to_telephone(data: bytes) -> bytes:
    """Return a WAV as calls play it: 8 kHz, one channel, no long silence at its ends. Raises WaveError."""
    rate, samples = read_wave(data)
    if rate != RATE:
        samples = resampled(samples, rate)
    return written(trimmed(samples))


def resampled(samples: array[int], rate: int) -> array[int]:
    """Return samples of `rate` at 8 kHz: a windowed sinc, so that nothing above 4 kHz folds back."""
    step = math.gcd(rate, RATE)
    up, down = RATE // step, rate // step
    phases, half = _filter(up, down)
    padded = [0] * half + samples.tolist() + [0] * (2 * half + 2)
    found = array("h")
    width = 2 * half
    for number in range(len(samples) * up // down):
        whole, phase = divmod(number * down, up)
        value = sum(map(operator.mul, phases[phase], padded[whole + 1 : whole + 1 + width]))
        found.append(max(-32_768, min(32_767, round(value))))
    return found


@cache
def _filter(up: int, down: int) -> tuple[tuple[tuple[float, ...], ...], int]:
    """Return the weights for each place between two samples, and how many samples they reach to each side."""
    cut = min(1.0, 0.95 * up / down)
    half = math.ceil(_SIDE / cut)
    phases = []
    for phase in range(up):
        weights = []
        for tap in range(-half + 1, half + 1):
            distance = tap - phase / up
            x = math.pi * distance * cut
            sinc = cut if not x else cut * math.sin(x) / x
            weights.append(sinc * (0.5 + 0.5 * math.cos(math.pi * distance / (half + 1))))
        total = sum(weights)
        phases.append(tuple(weight / total for weight in weights))
    return tuple(phases), half


def trimmed(samples: array[int]) -> array[int]:
    """Return samples without silence at the ends but a little, so that parts of a value follow closely."""
    loud = [at for at, value in enumerate(samples) if value > _SILENCE or value < -_SILENCE]
    if not loud:
        return samples[:_KEPT_BEHIND]
    return samples[max(0, loud[0] - _KEPT_BEFORE) : loud[-1] + _KEPT_BEHIND]


def written(samples: array[int]) -> bytes:
    """Return samples of 8 kHz as a WAV file."""
    body = samples.tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16
    )
    return head + struct.pack("<4sI", b"data", len(body)) + body


def seconds(data: bytes) -> float:
    """Return how long a WAV is. Raises WaveError."""
    rate, samples = read_wave(data)
    return len(samples) / rate
