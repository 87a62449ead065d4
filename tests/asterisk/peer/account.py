"""A telephone with a password: it registers, and answers the challenges of the server (RFC 3261, 22.4)."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets

from tests.asterisk.peer.message import Message, parse
from tests.asterisk.peer.phone import WITHIN_S, Call, Phone

LASTS_S = 600


class Account(Phone):
    """One address with a user of the server. Open it, then `log_in`."""

    user = ""
    password = ""

    async def log_in(self, user: str, password: str, *, register: bool = True) -> None:
        """Take a user; with `register` calls to that user ring here."""
        self.user, self.password = user, password
        self._identity = f"{secrets.token_hex(8)}@127.0.0.1"
        self._answers: asyncio.Queue[Message] = asyncio.Queue()
        if not register:
            return
        self._register(1)
        challenge = await self._answer()
        assert challenge.status == 401, f"{challenge.status} {challenge.reason}"
        self._register(2, self.proof("REGISTER", self._server_uri, challenge))
        accepted = await self._answer()
        assert accepted.status == 200, f"{accepted.status} {accepted.reason}"

    async def dial(self, number: str) -> Call:
        """Call a number as this user."""
        return await self.call(number, caller=self.user)

    def proof(self, method: str, uri: str, challenge: Message) -> str:
        """Return the value of Authorization: MD5, quality `auth`."""
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge.get("www-authenticate")))
        once = secrets.token_hex(8)
        who = _md5(f"{self.user}:{given['realm']}:{self.password}")
        response = _md5(f"{who}:{given['nonce']}:00000001:{once}:auth:{_md5(f'{method}:{uri}')}")
        parts = {"username": self.user, "realm": given["realm"], "nonce": given["nonce"], "uri": uri}
        parts |= {"response": response, "cnonce": once} | (
            {"opaque": given["opaque"]} if "opaque" in given else {}
        )
        quoted = ", ".join(f'{name}="{value}"' for name, value in parts.items())
        return f"Digest {quoted}, algorithm=MD5, qop=auth, nc=00000001"

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        message = parse(data)
        if message.status and message.get("call-id") == self._identity:
            self._answers.put_nowait(message)
        else:
            super().datagram_received(data, addr)

    @property
    def _server_uri(self) -> str:
        host, port = self.server
        return f"sip:{host}:{port}"

    async def _answer(self) -> Message:
        async with asyncio.timeout(WITHIN_S):
            return await self._answers.get()

    def _register(self, number: int, proof: str = "") -> None:
        here = f"127.0.0.1:{self.port}"
        address = f"<sip:{self.user}@{self.server[0]}:{self.server[1]}>"
        headers = [
            ("Via", f"SIP/2.0/UDP {here};branch=z9hG4bKreg{number}{self._identity[:8]};rport"),
            ("Max-Forwards", "70"),
            ("From", f"{address};tag={self._identity[:8]}"),
            ("To", address),
            ("Call-ID", self._identity),
            ("CSeq", f"{number} REGISTER"),
            ("Contact", f"<sip:{self.user}@{here}>"),
            ("Expires", str(LASTS_S)),
            *([("Authorization", proof)] if proof else []),
        ]
        self.send(Message(method="REGISTER", uri=self._server_uri, headers=headers))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
