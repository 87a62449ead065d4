"""What a request changes is stored before it is answered: one act, one batch of the host, then the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from gateway.host.batch import Batch
from gateway.host.host import Host


class NotStoredError(Exception):
    """Nothing was done: the store cannot be written now, or the gateway is ending."""


async def stored(host: Host, act: Callable[[Batch], None]) -> None:
    """Call `act(batch)` in the next batch and return once all of it is stored.

    Whatever `act` raises is raised here, and nothing of it is stored. Raises NotStoredError.
    """
    if host.draining:
        raise NotStoredError("the gateway is ending")
    if host.store.full:
        raise NotStoredError("the disk is full")
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(fault: Exception | None) -> None:
        if not done.done():
            done.set_exception(fault) if fault is not None else done.set_result(None)

    def handle(batch: Batch, _: object) -> None:
        mark = batch.mark()
        batch.refuse(settle, NotStoredError("the store cannot be written"))
        try:
            act(batch)
        except Exception as fault:
            batch.back_to(mark)
            settle(fault)
            return
        batch.leave(settle, None)

    host.take(handle, None)
    await done
