"""The back ends of the flows that are in force: where each is, and the client that asks them."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from engine.flow import Operation as DeclaredOperation
from engine.values import Value
from gateway.backends.client import Endpoint, HttpBackends
from gateway.backends.operation import Operation
from gateway.backends.outcome import Outcome
from gateway.clock import WallClock
from gateway.start_error import StartError


class Backends:
    """The back ends of the flows that are in force; replaced when a published build names others."""

    def __init__(self, environment: Mapping[str, str], clock: WallClock) -> None:
        self._environment = environment
        self._clock = clock
        self._endpoints: dict[str, Endpoint] = {}
        self._client: HttpBackends | None = None
        self._old: list[HttpBackends] = []
        self._log = structlog.get_logger()

    def use(self, operations: Mapping[str, DeclaredOperation]) -> None:
        """Serve these operations. Raises StartError for an address that is not set."""
        endpoints: dict[str, Endpoint] = {}
        for operation in operations.values():
            endpoints.setdefault(operation.backend, Endpoint(self._address(operation)))
        if endpoints == self._endpoints and self._client is not None:
            return
        if self._client is not None:
            self._old.append(self._client)
        self._endpoints = endpoints
        self._client = HttpBackends(endpoints, clock=self._clock.now, alarm=self._alarm)
        self._client.open()

    def _address(self, operation: DeclaredOperation) -> str:
        url = operation.url
        if not url.startswith("env."):
            return url
        value = self._environment.get(url.removeprefix("env."))
        if not value:
            raise StartError(
                f"the back end {operation.backend} has no address: set {url.removeprefix('env.')} "
                "in the environment, or write its url in config/backends.yaml"
            )
        return value

    def _alarm(self, backend: str, text: str) -> None:
        self._log.error("backend_alarm", backend=backend, reason=text)

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
        """Carry an operation out; see `HttpBackends.call`."""
        assert self._client is not None
        return await self._client.call(
            operation, arguments, phone=phone, lang=lang, channel=channel, key=key, within_ms=within_ms
        )

    def states(self) -> Mapping[str, str]:
        """Return the state of each back end's breaker, for pages and metrics."""
        if self._client is None:
            return {}
        return {name: "open" if one.is_open else "closed" for name, one in self._client.breakers.items()}

    async def close(self) -> None:
        """Close all connections."""
        for client in (*self._old, self._client):
            if client is not None:
                await client.close()
