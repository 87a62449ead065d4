"""Who may use the pages and orders of the gateway: this machine, or whoever has the token.

Without a token only loopback may, and a browser only from our own page: a request that comes by a foreign
name (DNS rebinding), from a foreign origin, or as a form is refused. With a token everybody needs it. What
machines ask (`/healthz`, `/readyz`, `/metrics`, `POST /events`) does not come here.
"""

from __future__ import annotations

import hmac
import ipaddress

from aiohttp import web

from gateway.web.guard import HEADERS, NAMES, Complaint, Handler, answered, foreign

WHO = "X-Gudok-Who"
"""Header in which a client says whose hands are on it; for the audit, never for a decision."""
WHO_MOST = 40


class Access:
    """Judges requests; `token` is the setting `http_token`."""

    def __init__(self, token: str | None) -> None:
        self._token = None if token is None else token.encode()

    def complaint(self, request: web.Request) -> Complaint | None:
        """Return the status and the reason for which a request is refused, None for a good one."""
        bad = foreign(request, _own_origins(request))
        if bad is not None:
            return bad
        if self._token is not None:
            given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
            if hmac.compare_digest(given, self._token):
                return None
            return 401, "the token is missing or wrong: Authorization: Bearer <http_token>"
        if not _is_loopback(request.remote):
            return 403, "only this machine may; set http_token to open the pages to others"
        if request.host.lower().rpartition(":")[0] not in NAMES and request.host.lower() not in NAMES:
            return 421, "this server answers only to 127.0.0.1"
        return None

    def open(self, handler: Handler) -> Handler:
        """Return a handler that answers without any leave, with the headers of a page."""

        async def opened(request: web.Request) -> web.StreamResponse:
            response = await handler(request)
            response.headers.update(HEADERS)
            return response

        return opened

    def guarded(self, handler: Handler) -> Handler:
        """Return a handler that answers only those who may."""

        async def judged(request: web.Request) -> web.StreamResponse:
            return await answered(request, handler, self.complaint(request))

        return judged


def who(request: web.Request) -> str:
    """Return who acts, as far as he says it, and from where: for the audit."""
    name = "".join(sign for sign in request.headers.get(WHO, "") if sign.isprintable()).strip()[:WHO_MOST]
    return f"{name or 'page'}@{request.remote or 'unknown'}"


def _own_origins(request: web.Request) -> tuple[str, str]:
    host = request.host.lower()
    return f"http://{host}", f"https://{host}"


def _is_loopback(remote: str | None) -> bool:
    try:
        return remote is not None and ipaddress.ip_address(remote).is_loopback
    except ValueError:
        return False
