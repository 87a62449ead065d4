"""What is special to the demo in Asterisk's configuration: the files of `site/`, all on loopback.

Each subscriber of the page has an account under his number; one more account is the specialist, a member of
every queue. Whoever registers has proved by a password who he is, so the network's side is asked nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
SPECIALIST = "specialist"
LAST_RESORT = "support"
"""The queue of the dialplan for calls that no gateway answers."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{3,15}", re.ASCII)

NUMBERS = f"""\
; Any number is the flows' matter: what none of them has goes to people.
[gudok-numbers]
exten => _X!,1,Goto(gudok-call,${{EXTEN}},1)

[gudok-connectable]
exten => _X!,1,Set(GUDOK_DIAL=PJSIP/{SPECIALIST})
 same => n,Return()

[gudok-agents]
exten => {SPECIALIST},1,Dial(PJSIP/{SPECIALIST},30)
"""
LOOPBACK = f"media_address = {HOST}\nbind_rtp_to_media_address = yes\n"
SUBSCRIBER = f"""\
[subscriber](!)
type = endpoint
context = gudok-in
disallow = all
allow = alaw,ulaw
dtmf_mode = rfc4733
direct_media = no
rtp_symmetric = yes
force_rport = yes
rewrite_contact = yes
allow_subscribe = no
allow_transfer = no
language = ru
{LOOPBACK}
[subscriber-aor](!)
type = aor
max_contacts = 3
remove_existing = yes
"""
QUEUE = f"wrapuptime = 0\nautopause = no\nmember => PJSIP/{SPECIALIST},0,Specialist,PJSIP/{SPECIALIST}\n"


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of loopback: of SIP (UDP), the manager interface, the gateway's FastAGI server, voice."""

    sip: int
    ami: int
    agi: int
    rtp: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Site:
    """The place. `password` opens every account; `token` and `secret` are the gateway's."""

    ports: Ports
    subscribers: tuple[str, ...]
    queues: tuple[str, ...]
    password: str
    token: str
    secret: str

    def files(self, shipped_globals: str) -> Mapping[str, str]:
        """Return the files by name; the globals are the shipped ones with the demo's values."""
        return {
            "globals.conf": self._globals(shipped_globals),
            "numbers.conf": NUMBERS + self._callable(),
            "pjsip.conf": self._accounts(),
            "queues.conf": self._queues(),
            "manager.conf": f"[gudok](gudok-rights)\nsecret = {self.secret}\n",
        }

    def _globals(self, text: str) -> str:
        values = {
            "GUDOK_FIRST": f"{HOST}:{self.ports.agi}",
            "GUDOK_SECOND": "",
            "GUDOK_TOKEN": self.token,
            "GUDOK_DEFAULT_QUEUE": LAST_RESORT,
        }
        for name, value in values.items():
            text = re.sub(rf"(?m)^{name} =.*$", f"{name} = {value}", text)
        return text

    def _callable(self) -> str:
        lines = ["", "[gudok-callable]"]
        for number in _fit(self.subscribers, _NUMBER):
            lines += [f"exten => {number},1,Set(GUDOK_DIAL=PJSIP/{number})", " same => n,Return()"]
        return "\n".join([*lines, ""])

    def _accounts(self) -> str:
        transport = f"[transport-udp]\ntype = transport\nprotocol = udp\nbind = {HOST}:{self.ports.sip}\n"
        parts = [transport, SUBSCRIBER]
        for number in _fit(self.subscribers, _NUMBER):
            own = f"auth = {number}\naors = {number}\ncallerid = <{number}>\n"
            parts += [f"[{number}](subscriber)\n{own}", f"[{number}](subscriber-aor)\n", self._auth(number)]
        own = f"auth = {SPECIALIST}\naors = {SPECIALIST}\n{LOOPBACK}"
        parts += [f"[{SPECIALIST}](gudok-agent)\n{own}", f"[{SPECIALIST}](gudok-agent-aor)\n"]
        return "\n".join([*parts, self._auth(SPECIALIST)])

    def _auth(self, user: str) -> str:
        return f"[{user}](gudok-agent-auth)\nusername = {user}\npassword = {self.password}\n"

    def _queues(self) -> str:
        parts = [f"[{LAST_RESORT}](gudok-default-queue)\n{QUEUE}"]
        names = [name for name in dict.fromkeys(_fit(self.queues, _NAME)) if name != LAST_RESORT]
        return "\n".join([*parts, *(f"[{name}](gudok-queue)\n{QUEUE}" for name in names)])


def _fit(names: Iterable[str], form: re.Pattern[str]) -> list[str]:
    """Return the names that mean nothing else in a file of Asterisk."""
    return [name for name in names if form.fullmatch(name)]
