"""Where the parts of the service are found in its aiohttp application."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from gateway.demo.billing.desk import Desk
from gateway.demo.billing.fault import Board

DESK: Final = web.AppKey("desk", Desk)
BOARD: Final = web.AppKey("board", Board)
NIGHT: Final = web.AppKey("night", asyncio.Event)
"""Set when the clock was moved, so that the watch reckons its midnight anew."""
