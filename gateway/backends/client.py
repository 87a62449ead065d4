"""The client of all back ends: typed operations over JSON and HTTP, with the outcomes of flow-language 2.5.

It decides what is repeated: a safe operation as often as `retry` says; a charge (or `once`) whose request was
lost, once more with the same key; anything that surely was not sent. It does not know orders: who calls has
committed the intent and its key before.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp

from engine.types import ListOf, Privacy, Record, Type
from engine.values import Secret, Value
from gateway.backends.answer_cache import AnswerCache
from gateway.backends.attempt import Attempt, Reach, connection_trace, send
from gateway.backends.breaker import Breaker
from gateway.backends.operation import Operation, honours_keys, is_irreversible, is_safe
from gateway.backends.outcome import BAD_ANSWER, DONE, TIMEOUT, UNAVAILABLE, UNKNOWN, Outcome
from gateway.backends.request import Request, build
from gateway.backends.resolver import AddressRefusedError, CheckedResolver, check_address
from gateway.backends.wire import MisfitError, parse_json, read_record

CONNECTIONS_PER_HOST = 200
_FIRST_PAUSE_S = 0.05
_LEAST_ATTEMPT_S = 0.02
_TOO_MANY = 429
_REQUEST_TIMEOUT = 408


class Backend(Protocol):
    """Anything that answers calls: this client, or a simulation."""

    async def call(
        self,
        operation: Operation,
        arguments: Mapping[str, Value],
        *,
        phone: str,
        lang: str,
        channel: str,
        key: str | None,
        within_ms: int | None,
    ) -> Outcome:
        """Carry an operation out and say how it ended; never raises for what the other side does."""
        ...


class BackendUrlError(ValueError):
    """The URL of a back end cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a back end is. `token` is sent as `Authorization: Bearer`."""

    url: str
    token: Secret | None = None


def check_url(url: str) -> str:
    """Return the URL of a back end without a slash at its end; raises BackendUrlError."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BackendUrlError("the URL of a back end starts with http:// or https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise BackendUrlError("a password in a URL ends up in logs: use a token")
    if parts.query or parts.fragment:
        raise BackendUrlError("the URL of a back end has no ? and no #")
    try:
        check_address(parts.hostname, loopback=True)
    except AddressRefusedError as problem:
        raise BackendUrlError(str(problem)) from None
    except ValueError:
        if "%" in parts.netloc or ".." in parts.path:
            raise BackendUrlError("the URL of a back end is not plain") from None
    return url.rstrip("/")


@dataclass(frozen=True, slots=True)
class _Verdict:
    outcome: Outcome
    repeat: bool = False


class HttpBackends:
    """Calls the configured back ends and nothing else. Use as an async context manager, or `open`/`close`.

    `clock` gives milliseconds for breakers and cache; `alarm(backend, text)` is told what a person must see;
    `pause` and `jitter` space retries. Call it on one event loop.
    """

    def __init__(
        self,
        endpoints: Mapping[str, Endpoint],
        *,
        clock: Callable[[], int],
        alarm: Callable[[str, str], None] = lambda _backend, _text: None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._endpoints = {
            name: Endpoint(check_url(endpoint.url), endpoint.token) for name, endpoint in endpoints.items()
        }
        self._clock = clock
        self._alarm = alarm
        self._pause = pause
        self._jitter = jitter
        self._tls = tls
        self._cache = AnswerCache()
        self._session: aiohttp.ClientSession | None = None
        self.breakers = {name: Breaker() for name in endpoints}

    async def __aenter__(self) -> HttpBackends:
        self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def open(self) -> None:
        """Get ready; needs the running loop."""
        if self._session is not None:
            return
        connector = aiohttp.TCPConnector(
            resolver=CheckedResolver(),
            limit=0,
            limit_per_host=CONNECTIONS_PER_HOST,
            ttl_dns_cache=30,
            ssl=self._tls or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
            trace_configs=[connection_trace()],
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(
        self,
        operation: Operation,
        arguments: Mapping[str, Value],
        *,
        phone: str,
        lang: str,
        channel: str,
        key: str | None,
        within_ms: int | None,
    ) -> Outcome:
        """Carry an operation out within `within_ms` (None: what its own time-outs allow)."""
        endpoint = self._endpoints.get(operation.backend)
        if endpoint is None or self._session is None:
            self._alarm(operation.backend, f"{operation.name}: the back end has no URL")
            return Outcome(UNAVAILABLE, detail="no URL")
        if key is None and is_irreversible(operation):
            self._alarm(operation.backend, f"{operation.name} was not sent: it has no key")
            return Outcome(BAD_ANSWER, detail="not sent: no key")
        try:
            request = build(operation, arguments, phone=phone, lang=lang, channel=channel, key=key)
        except MisfitError as problem:
            self._alarm(operation.backend, f"{operation.name} was not sent: {problem}")
            return Outcome(BAD_ANSWER, detail=f"not sent: {problem}")
        remembered = (operation.name, request.target, request.body, lang, channel)
        cached = operation.cache_ms is not None and is_safe(operation) and not _has_secret(operation)
        if cached:
            found = self._cache.get(remembered, self._clock())
            if found is not None:
                return found
        outcome = await self._call(operation, endpoint, request, within_ms, key)
        if cached and outcome.name == DONE:
            self._cache.put(remembered, outcome, self._clock() + (operation.cache_ms or 0))
        return outcome

    async def _call(
        self,
        operation: Operation,
        endpoint: Endpoint,
        request: Request,
        within_ms: int | None,
        key: str | None,
    ) -> Outcome:
        irreversible = is_irreversible(operation)
        unsent_left = operation.retry
        lost_left = _repeats(operation, key)
        time = asyncio.get_running_loop().time
        own_ms = operation.timeout_ms * (1 + max(unsent_left, lost_left)) + 1_000
        end = time() + (own_ms if within_ms is None else within_ms) / 1_000
        lost = False
        number = 0
        while True:
            verdict = await self._attempt(operation, endpoint, request, end - time(), lost)
            unsent = verdict.outcome.name == UNAVAILABLE
            lost = lost or not unsent
            if not verdict.repeat or (unsent_left if unsent else lost_left) == 0:
                break
            if unsent:
                unsent_left -= 1
            else:
                lost_left -= 1
            pause = _FIRST_PAUSE_S * 2 ** min(number, 5) * (0.5 + self._jitter())
            if end - time() < pause + _LEAST_ATTEMPT_S:
                break
            number += 1
            await self._pause(pause)
        if irreversible and lost and verdict.repeat:
            return Outcome(UNKNOWN, detail=verdict.outcome.detail)
        return verdict.outcome

    async def _attempt(
        self, operation: Operation, endpoint: Endpoint, request: Request, left_s: float, lost: bool
    ) -> _Verdict:
        session, breaker = self._session, self.breakers[operation.backend]
        if session is None or left_s < _LEAST_ATTEMPT_S:
            return self._unsent("no time left", lost and is_irreversible(operation))
        if not breaker.allows(self._clock()):
            return self._unsent("the breaker is open", lost and is_irreversible(operation))
        headers = dict(request.headers)
        if endpoint.token is not None:
            headers["Authorization"] = "Bearer " + endpoint.token.reveal()
        own_s = operation.timeout_ms / 1_000
        attempt = await send(
            session,
            request.method,
            endpoint.url + request.target,
            headers,
            request.body,
            min(own_s, left_s),
        )
        self._count(breaker, attempt, whole=left_s >= own_s)
        if attempt.alarm:
            self._alarm(operation.backend, f"{operation.name}: {attempt.detail}")
        if attempt.reach is Reach.NOT_SENT:
            return _Verdict(Outcome(UNAVAILABLE, detail=attempt.detail), repeat=True)
        if attempt.reach is Reach.LOST:
            return _lost(operation, attempt.detail)
        return self._judge(operation, attempt, lost)

    @staticmethod
    def _unsent(detail: str, doubtful: bool) -> _Verdict:
        return _Verdict(Outcome(UNKNOWN if doubtful else UNAVAILABLE, detail=detail))

    def _count(self, breaker: Breaker, attempt: Attempt, *, whole: bool) -> None:
        now = self._clock()
        if attempt.reach is Reach.ANSWERED and attempt.status < 500 and attempt.status != _REQUEST_TIMEOUT:
            breaker.succeeded(now)
        elif whole or not attempt.slow:
            breaker.failed(now)

    def _judge(self, operation: Operation, attempt: Attempt, lost: bool) -> _Verdict:
        status = attempt.status
        irreversible = is_irreversible(operation)
        garbled = status >= 500 or status == _REQUEST_TIMEOUT
        if status in operation.errors and not (irreversible and garbled):
            return _Verdict(Outcome(operation.errors[status], detail=str(status)))
        if status == _TOO_MANY:
            return self._unsent(str(status), irreversible and lost)
        if garbled or (attempt.cut and status < 300 and (irreversible or operation.returns is not None)):
            return _lost(operation, attempt.detail or str(status))
        if 200 <= status < 300:
            return self._success(operation, attempt)
        self._alarm(operation.backend, f"{operation.name} was answered {status}")
        if irreversible and (lost or status < 400):
            return _lost(operation, str(status))
        return _Verdict(Outcome(BAD_ANSWER, detail=str(status)))

    def _success(self, operation: Operation, attempt: Attempt) -> _Verdict:
        if operation.returns is None and not is_irreversible(operation):
            return _Verdict(Outcome(DONE))
        try:
            if operation.returns is None and attempt.body == b"":
                return _Verdict(Outcome(DONE))
            if attempt.body is None:
                raise MisfitError(attempt.detail or "the answer cannot be read")
            told = parse_json(attempt.body)
            value = None if operation.returns is None else read_record(told, operation.returns)
        except MisfitError as problem:
            self._alarm(operation.backend, f"{operation.name}: {problem}")
            if is_irreversible(operation):
                return _lost(operation, str(problem))
            return _Verdict(Outcome(BAD_ANSWER, detail=str(problem)))
        return _Verdict(Outcome(DONE, value))


def _lost(operation: Operation, detail: str) -> _Verdict:
    name = UNKNOWN if is_irreversible(operation) else TIMEOUT
    return _Verdict(Outcome(name, detail=detail), repeat=True)


def _repeats(operation: Operation, key: str | None) -> int:
    if is_irreversible(operation):
        return 1 if key is not None and honours_keys(operation) else 0
    return operation.retry if is_safe(operation) else 0


def _has_secret(operation: Operation) -> bool:
    return operation.returns is not None and any(_is_secret(type_) for _, type_ in operation.returns.fields)


def _is_secret(type_: Type) -> bool:
    if isinstance(type_.shape, Record):
        return any(_is_secret(inner) for _, inner in type_.shape.fields)
    if isinstance(type_.shape, ListOf):
        return _is_secret(type_.shape.element)
    return type_.privacy is Privacy.SECRET
