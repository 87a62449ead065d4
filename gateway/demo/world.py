"""What the world around a subscriber does: a fault is repaired, works are done, marketing makes itself heard.

Each act goes the way it does in life: a back end tells the gateway of an event, signed, over HTTP. An act is
offered only if the flows in force do something about it. It knows no page.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import msgspec

from engine.flow_set import FlowSet
from gateway.app import Gateway
from gateway.demo.billing import Running
from gateway.demo.billing.network import district
from gateway.demo.billing.record import Report
from gateway.demo.network import RefusedError
from gateway.host.batch import Batch
from gateway.host.opening import Opened, Opening
from gateway.web.signature import HEADER, sign

OFFER = "marketing_offer"
"""The flow that marketing begins by itself."""


class Act(msgspec.Struct, frozen=True):
    """One thing that can happen: its button and what has to be there for it."""

    name: str
    title: str
    about: str
    event: str = ""
    flow: str = ""


ACTS: tuple[Act, ...] = (
    Act("repaired", "Fault repaired", "in the district, for all who reported it", event="network.repaired"),
    Act("works_done", "Works done", "connected or repaired; asked about a day later", event="crm.order_done"),
    Act("unsolved", "Case not solved", "the CRM wants this number called", event="crm.case_unsolved"),
    Act("offer", "Offer by USSD", "the network rings with the personal offer", flow=OFFER),
    Act("shop_left", "Shop visited", "asked about within half an hour", event="shop.visit_closed"),
)


def offered(flows: FlowSet, lanes: frozenset[str]) -> list[dict[str, str]]:
    """Return the acts that the flows do something about over these lanes."""
    return [
        {"name": act.name, "title": act.title, "about": act.about}
        for act in ACTS
        if (act.flow in flows.flows if act.flow else _heard(flows, act.event, lanes))
    ]


def _heard(flows: FlowSet, event: str, lanes: frozenset[str]) -> bool:
    return bool(flows.on_event(event)) or any(
        lanes.intersection(flow.outbound.over) for flow in flows.outbound(event) if flow.outbound is not None
    )


class World:
    """Carries acts out. `note(phone, text, detail)` makes a row of what happens; `post` sends an event."""

    def __init__(
        self,
        billing: Running,
        client: aiohttp.ClientSession,
        key: bytes,
        gateway: Callable[[], tuple[Gateway, str]],
        note: Callable[[str, str, str], object],
    ) -> None:
        """Take note of the parts; `gateway` gives the one that runs now and the address of its pages."""
        self._billing = billing
        self._client = client
        self._key = key
        self._gateway = gateway
        self._note = note
        self._told: set[Report] = set()
        self._acts: Mapping[str, Callable[[str], Awaitable[None]]] = {
            "repaired": self._repaired,
            "works_done": self._works_done,
            "unsolved": self._unsolved,
            "offer": self._offer,
            "shop_left": self._shop_left,
        }

    async def act(self, name: str, phone: str) -> None:
        """Let something happen to a subscriber. Raises KeyError for an unknown act, RefusedError."""
        await self._acts[name](phone)

    async def _repaired(self, phone: str) -> None:
        area = district(phone)
        made = [one for one in self._billing.desk.book.records.values() if isinstance(one, Report)]
        reports = [one for one in made if one.phone and district(one.phone) == area]
        reports = [one for one in reports if one not in self._told]
        if not reports:
            raise RefusedError(f"No open report from the district {area}: write СБОЙ to 000500 first")
        told = [{"phone": one.phone, "number": one.number} for one in reports]
        await self._tell(phone, "network.repaired", {"area": area, "reports": told})
        self._told.update(reports)

    async def _works_done(self, phone: str) -> None:
        await self._tell(phone, "crm.order_done", {"phone": phone, "what": "connection"})

    async def _unsolved(self, phone: str) -> None:
        fields = {"phone": phone, "topic": "internet", "note": "Низкая скорость по вечерам"}
        await self._tell(phone, "crm.case_unsolved", fields)

    async def _shop_left(self, phone: str) -> None:
        await self._tell(phone, "shop.visit_closed", {"phone": phone, "shop": "Тверская 5"})

    async def _tell(self, phone: str, event: str, fields: Mapping[str, Any]) -> None:
        """Send an event as a back end does: signed, with an id of its own."""
        gateway, address = self._gateway()
        body = msgspec.json.encode({"id": secrets.token_hex(8), **fields})
        headers = {HEADER: sign(self._key, body, gateway.clock.wall_ms() // 1000)}
        url = f"{address}/events/{event}"
        try:
            async with self._client.post(url, data=body, headers=headers) as answer:
                status = answer.status
                said = "" if status == 202 else str((await answer.json()).get("error", ""))
        except aiohttp.ClientError as error:
            raise RefusedError("The gateway does not answer") from error
        if status != 202:
            raise RefusedError(f"The gateway did not take the event: {status} {said}")
        self._note(phone, event, "signed, taken with 202")

    async def _offer(self, phone: str) -> None:
        gateway, _ = self._gateway()
        if OFFER not in gateway.library.current.flows:
            raise RefusedError(f"There is no flow {OFFER}")
        found: list[Opened] = []

        def begin(batch: Batch, number: str) -> None:
            lang = gateway.host.language(number, batch.now)
            opening = Opening(secrets.token_hex(8), OFFER, number, lang)
            found.append(gateway.openers.by_name["ussd"].open(batch, opening))

        gateway.host.take(begin, phone)
        await gateway.host.idle()
        if found and found[0] is Opened.LATER:
            raise RefusedError("The network cannot ring now: a dialog is open, or no bind is there")
        if not found or found[0] is Opened.NEVER:
            raise RefusedError("The offer cannot go out by USSD")
        self._note(phone, OFFER, "begun by the gateway over USSD")
