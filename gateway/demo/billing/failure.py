"""How an answer is spoilt on the wire: lost connections, silence, garbage, bombs, redirects.

Knows aiohttp and what the operation would have answered; which request is spoilt was decided before.
"""

from __future__ import annotations

import asyncio
import gzip

from aiohttp import web

from gateway.demo.billing.fault import Fault

HANG = 120.0
"""Seconds after which an unanswered connection is closed at last."""

JSON = "application/json"


async def pause(milliseconds: int, closing: asyncio.Event) -> None:
    """Wait, but not longer than the service lives."""
    if milliseconds <= 0:
        return
    try:
        await asyncio.wait_for(closing.wait(), milliseconds / 1000)
    except TimeoutError:
        return


async def spoil(
    request: web.Request, fault: Fault, status: int, body: bytes, closing: asyncio.Event
) -> web.StreamResponse:
    """Answer `request` as the fault wants; `status` and `body` are the true answer, if the work was done."""
    match fault.kind:
        case "status":
            return web.Response(status=fault.status, body=b'{"error":"fault"}', content_type=JSON)
        case "reset" | "lose" | "take_and_lose":
            return _cut(request)
        case "hang" | "take_and_hang":
            await pause(int(HANG * 1000), closing)
            return _cut(request)
        case "garbage":
            return web.Response(status=status, body=b'\xff\xfe<html>{"done": tru', content_type=JSON)
        case "wrong_fields":
            return web.Response(status=status, body=b'[{"fee": "many", "balance": null}]', content_type=JSON)
        case "truncated":
            return await _truncated(request, status, body)
        case "huge":
            return await _huge(request, status, fault.size)
        case "bomb":
            packed = await asyncio.to_thread(_bomb, fault.size)
            headers = {"Content-Encoding": "gzip"}
            return web.Response(status=status, body=packed, content_type=JSON, headers=headers)
        case "redirect":
            return web.Response(status=302, headers={"Location": fault.location})
        case "slow":
            return await _slow(request, status, body, fault.after or 100, closing)
        case "delay" | "forget_keys" | "store_refusals":
            return web.Response(status=status, body=body, content_type=JSON)


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _truncated(request: web.Request, status: int, body: bytes) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers={"Content-Type": JSON})
    response.content_length = len(body) + 100
    try:
        await response.prepare(request)
        await response.write(body[: len(body) // 2] or b"{")
    except ConnectionError:
        return response
    if request.transport is not None:
        request.transport.close()
    return response


async def _huge(request: web.Request, status: int, size: int) -> web.StreamResponse:
    """Send `size` bytes of one JSON text; a client that has had enough ends it by closing."""
    response = web.StreamResponse(status=status, headers={"Content-Type": JSON})
    block = b" " * 65_536
    try:
        await response.prepare(request)
        await response.write(b"{")
        for _ in range(size // len(block)):
            await response.write(block)
        await response.write(b"}")
        await response.write_eof()
    except ConnectionError:
        return response
    return response


async def _slow(
    request: web.Request, status: int, body: bytes, step: int, closing: asyncio.Event
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers={"Content-Type": JSON})
    response.content_length = len(body)
    try:
        await response.prepare(request)
        for position in range(len(body)):
            await response.write(body[position : position + 1])
            await pause(step, closing)
        await response.write_eof()
    except ConnectionError:
        return response
    return response


def _bomb(size: int) -> bytes:
    return gzip.compress(b"{" + b" " * size + b"}", compresslevel=9)
