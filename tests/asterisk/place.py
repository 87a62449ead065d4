"""The place where the tests' Asterisk stands: its ports, its agents, its queues, as files of `site/`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.asterisk.server import SHIPPED

TOKEN = "Xo4"
AGENTS = ("agent101", "agent102")
SECRET = "only-for-this-test"
LIMIT_S = 60
"""The longest call of a test, in seconds."""


@dataclass(frozen=True)
class Place:
    """Ports of loopback, from `base` on."""

    base: int

    @property
    def sip(self) -> int:
        """Of Asterisk."""
        return self.base + 1

    @property
    def ami(self) -> int:
        """Of Asterisk."""
        return self.base + 2

    @property
    def first(self) -> int:
        """Of the first gateway."""
        return self.base + 3

    @property
    def second(self) -> int:
        """Of the second gateway."""
        return self.base + 4

    @property
    def network(self) -> int:
        """Where calls go that we make."""
        return self.base + 5

    @property
    def agents(self) -> tuple[int, ...]:
        """Of the agents' telephones."""
        return tuple(self.base + 10 + number for number in range(len(AGENTS)))

    @property
    def rtp(self) -> tuple[int, int]:
        """First and last one for voice."""
        return self.base + 100, self.base + 999

    def site(self) -> dict[str, str]:
        """Return the files of `site/`."""
        return {
            "globals.conf": self._globals(),
            "numbers.conf": (SHIPPED / "site/numbers.conf").read_text("utf-8"),
            "pjsip.conf": self._pjsip(),
            "queues.conf": self._queues(),
            "manager.conf": f"[gudok](gudok-rights)\nsecret = {SECRET}\n",
        }

    def _globals(self) -> str:
        text = (SHIPPED / "site/globals.conf").read_text("utf-8")
        for name, value in {
            "GUDOK_FIRST": f"127.0.0.1:{self.first}",
            "GUDOK_SECOND": f"127.0.0.1:{self.second}",
            "GUDOK_TOKEN": TOKEN,
            "GUDOK_PATIENCE": str(LIMIT_S),
            "GUDOK_SORRY": "tone/sorry",
            "GUDOK_CALL_LATER": "tone/later",
            "GUDOK_DEFAULT_WAIT": "20",
        }.items():
            text, found = re.subn(rf"(?m)^{name} =.*$", f"{name} = {value}", text)
            assert found == 1, name
        return text

    def _pjsip(self) -> str:
        parts = [
            f"[transport-udp]\ntype = transport\nprotocol = udp\nbind = 127.0.0.1:{self.sip}",
            "[network](gudok-trunk)\naors = network",
            f"[network](gudok-trunk-aor)\ncontact = sip:127.0.0.1:{self.network}\nqualify_frequency = 0",
            "[network](gudok-trunk-identify)\nendpoint = network\nmatch = 127.0.0.1",
        ]
        for name, port in zip(AGENTS, self.agents, strict=True):
            parts.append(f"[{name}](gudok-agent)\naors = {name}")
            parts.append(
                f"[{name}](gudok-agent-aor)\ncontact = sip:{name}@127.0.0.1:{port}\nqualify_frequency = 0"
            )
        return "\n\n".join(parts) + "\n"

    def _queues(self) -> str:
        quick = "wrapuptime = 0\nautopause = no\ntimeout = 5"
        parts = [
            f"[support](gudok-default-queue)\n{quick}\nmember => PJSIP/agent101,0,Anna",
            f"[sales](gudok-queue)\n{quick}\nmember => PJSIP/agent102,0,Boris",
            "[experts](gudok-queue)",
        ]
        return "\n\n".join(parts) + "\n"
