"""Prompts that a test can tell apart by ear: each is one tone.

`heard` finds the tone of a frame of 20 ms; silence and noise have none.
"""

from __future__ import annotations

import math
import struct
import wave
from functools import cache
from pathlib import Path

RATE = 8_000
FRAME = 160
TONES = {
    "hold": 350,
    "menu": 450,
    "wrong": 550,
    "balance": 650,
    "notice": 750,
    "rating": 850,
    "moment": 950,
    "thanks": 1_050,
    "sorry": 1_150,
    "later": 1_250,
    "agent": 1_450,
    "caller": 1_650,
}
LONG = frozenset({"hold", "menu"})
_LOUD = 0.02
_CLEAR = 0.55


def samples(name: str, count: int, start: int = 0) -> list[int]:
    """Return 16-bit samples of a tone."""
    step = 2 * math.pi * TONES[name] / RATE
    return [round(8_000 * math.sin(step * (start + n))) for n in range(count)]


def lay_out(folder: Path, names: tuple[str, ...] = tuple(TONES)) -> None:
    """Write the tones as WAV files: 0.6 s, those that are to be interrupted 20 s."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            count = 20 * RATE if name in LONG else RATE * 6 // 10
            file.writeframes(struct.pack(f"<{count}h", *samples(name, count)))


def heard(frame: list[int]) -> str | None:
    """Return the name of the tone that a frame is, None if it is none."""
    power = sum(one * one for one in frame) / len(frame) / 32_768**2
    if power < _LOUD**2:
        return None
    best, name = max((_share(frame, tone, power), name) for name, tone in TONES.items())
    return name if best > _CLEAR else None


def _share(frame: list[int], tone: int, power: float) -> float:
    factor = 2 * math.cos(2 * math.pi * tone / RATE)
    before = last = 0.0
    for one in frame:
        before, last = last, one + factor * last - before
    found = before * before + last * last - factor * before * last
    return 2 * found / len(frame) ** 2 / 32_768**2 / power


@cache
def _expanded() -> tuple[int, ...]:
    table = []
    for code in range(256):
        value = code ^ 0x55
        magnitude, segment = (value & 0x0F) << 4, (value & 0x70) >> 4
        magnitude += 8 if segment == 0 else 0x108
        if segment > 1:
            magnitude <<= segment - 1
        table.append(magnitude if value & 0x80 else -magnitude)
    return tuple(table)


def expand(payload: bytes) -> list[int]:
    """Return the samples of A-law octets (G.711)."""
    table = _expanded()
    return [table[code] for code in payload]


@cache
def _nearest() -> dict[int, int]:
    return {value: code for code, value in enumerate(_expanded())}


def compress(values: list[int]) -> bytes:
    """Return A-law octets of samples (G.711)."""
    found = bytearray()
    for value in values:
        magnitude = min(abs(value), 32_635) >> 4
        segment = max(magnitude.bit_length() - 4, 0)
        code = (segment << 4) | ((magnitude >> max(segment - 1, 0)) & 0x0F)
        found.append((code | (0x80 if value >= 0 else 0)) ^ 0x55)
    return bytes(found)
