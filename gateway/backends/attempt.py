"""One HTTP request and what became of it; no retry, no money rule.

What counts is how far the request came: `NOT_SENT` for sure, `ANSWERED` with a status, or `LOST` somewhere
after a connection was there, when the back end may have carried it out.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from gateway.backends.wire import MisfitError

MAX_BODY = 256 * 1024


class Reach(Enum):
    """How far a request came."""

    NOT_SENT = "not sent"
    LOST = "lost"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of a request. `body` is None when it was too big, broken or in an unknown encoding.

    `slow` tells that the time given was used up, `cut` that the answer began and did not come to its end,
    `alarm` that a person has to look.
    """

    reach: Reach
    status: int = 0
    body: bytes | None = None
    detail: str = ""
    slow: bool = False
    cut: bool = False
    alarm: bool = False


class _Mark:
    __slots__ = ("connected",)

    def __init__(self) -> None:
        self.connected = False


async def _connected(_: aiohttp.ClientSession, context: SimpleNamespace, __: object) -> None:
    context.trace_request_ctx.connected = True


def connection_trace() -> aiohttp.TraceConfig:
    """Return the tracing that `send` needs on its session: it learns when a connection was there."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(_connected)
    trace.on_connection_reuseconn.append(_connected)
    return trace


async def send(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    timeout_s: float,
) -> Attempt:
    """Send one request and read its answer, all within `timeout_s`. Follows no redirect."""
    mark = _Mark()
    status = 0
    try:
        async with (
            asyncio.timeout(timeout_s),
            session.request(
                method,
                URL(url, encoded=True),
                headers=CIMultiDict(headers),
                data=body,
                allow_redirects=False,
                trace_request_ctx=mark,
            ) as response,
        ):
            status = response.status
            try:
                return Attempt(Reach.ANSWERED, status, await _read(response))
            except MisfitError as problem:
                return Attempt(Reach.ANSWERED, status, None, str(problem))
    except TimeoutError:
        return _cut(mark, status, "no answer in time", slow=True)
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError):
        return Attempt(Reach.NOT_SENT, detail="the certificate is not accepted", alarm=True)
    except (aiohttp.ClientError, OSError) as problem:
        return _cut(mark, status, type(problem).__name__)


def _cut(mark: _Mark, status: int, detail: str, *, slow: bool = False) -> Attempt:
    if status:
        return Attempt(Reach.ANSWERED, status, None, detail, slow, cut=True)
    return Attempt(Reach.LOST if mark.connected else Reach.NOT_SENT, 0, None, detail, slow)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in {"gzip", "x-gzip", "deflate"}:
        inflater = zlib.decompressobj(wbits=47)
    elif encoding in {"identity", ""}:
        inflater = None
    else:
        raise MisfitError("the answer is in an unknown encoding")
    received, plain = 0, bytearray()
    async for chunk in response.content.iter_any():
        received += len(chunk)
        if inflater is None:
            plain += chunk
        else:
            try:
                plain += inflater.decompress(chunk, MAX_BODY + 1 - len(plain))
            except zlib.error:
                raise MisfitError("the answer cannot be decompressed") from None
        if received > MAX_BODY or len(plain) > MAX_BODY:
            raise MisfitError(f"the answer is bigger than {MAX_BODY} octets")
    if inflater is not None and received and not inflater.eof:
        raise MisfitError("the answer is cut off")
    return bytes(plain)
