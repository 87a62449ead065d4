"""The back ends of the demo, billing and all the others: one real HTTP service with its own books.

`start` embeds it, `create_app` gives the aiohttp application, `python -m gateway.demo.billing` runs it
alone. It knows nothing of the gateway: it is the other side of the wire, with a ledger of its own to
compare with.
"""

from gateway.demo.billing.app import Running, create_app, start
from gateway.demo.billing.clock import Clock
from gateway.demo.billing.fault import Fault

__all__ = ["Clock", "Fault", "Running", "create_app", "start"]
