"""What is heard in a queue of the demo: two soft notes every four seconds, made here."""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

RATE = 8_000
LASTS_S = 4
NOTES = ((0.0, 392.0), (0.5, 523.25))
"""When each note begins, in seconds, and its pitch."""
LOUD, FADES_S = 3_000, 0.5


def hold_music(folder: Path) -> None:
    """Write the sound that Asterisk repeats while a caller waits."""
    folder.mkdir(parents=True, exist_ok=True)
    count = LASTS_S * RATE
    samples = [_sample(at / RATE) for at in range(count)]
    with wave.open(str(folder / "waiting.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{count}h", *samples))


def _sample(at: float) -> int:
    value = 0.0
    for begins, pitch in NOTES:
        since = at - begins
        if since >= 0:
            value += math.sin(2 * math.pi * pitch * since) * math.exp(-since / FADES_S)
    return round(LOUD * value)
