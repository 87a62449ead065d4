from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from engine.values import Secret
from gateway.backends.client import Endpoint, HttpBackends

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Bench:
    """A back end on loopback that answers as a test tells it, and a client with a hand clock."""

    def __init__(self) -> None:
        self.now = 0
        self.alarms: list[str] = []
        self.pauses: list[float] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.answers: list[Handler] = []
        self.client: HttpBackends
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request.method, request.raw_path, dict(request.headers), body))
        handler = self.answers[min(len(self.requests), len(self.answers)) - 1]
        return await handler(request)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    def make(self, **endpoints: Endpoint) -> HttpBackends:
        return HttpBackends(
            endpoints or {"billing": Endpoint(self.url, Secret("t0ken"))},
            clock=lambda: self.now,
            alarm=lambda backend, text: self.alarms.append(f"{backend}: {text}"),
            pause=self.pause,
            jitter=lambda: 0.5,
        )


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", bench.handle)
    server = TestServer(app, handler_cancellation=True)
    await server.start_server(shutdown_timeout=0.1)
    bench.url = f"http://127.0.0.1:{server.port}"
    async with bench.make() as client:
        bench.client = client
        yield bench
    await server.close()


@pytest.fixture
def unused_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def self_signed(tmp_path: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context
