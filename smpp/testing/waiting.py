"""Waiting for something to become true, without sleeping: looked at after everything that happens."""

import asyncio
from collections.abc import Callable


class Waiting:
    """The conditions that tests wait for at the moment."""

    def __init__(self) -> None:
        self._waits: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    async def until(self, predicate: Callable[[], bool], limit_s: float) -> bool:
        """Wait until the predicate is true; False when `limit_s` seconds were not enough."""
        if predicate():
            return True
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        wait = (predicate, future)
        self._waits.append(wait)
        try:
            async with asyncio.timeout(limit_s):
                await future
        except TimeoutError:
            return False
        finally:
            self._waits.remove(wait)
        return True

    def look(self) -> None:
        """Something has happened: see who waited for it."""
        for predicate, future in self._waits:
            if not future.done() and predicate():
                future.set_result(None)

    def cancel(self) -> None:
        """Nothing will happen any more."""
        for _, future in self._waits:
            future.cancel()
