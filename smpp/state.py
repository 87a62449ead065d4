"""The states of an SMPP session and which requests may arrive in them: two tables, and nothing else.

Theory (SMPP 3.4, 2.2 and table 2-1). A session begins OPEN when the connection stands; the ESME binds and
the SMSC agrees to one of three directions; either side may unbind. BINDING and UNBINDING are ours: the time
between a request and its response, in which the specification keeps the old state. A pair (state, input)
that is not in TRANSITIONS cannot happen by our own doing, and is refused when the peer tries it.
"""

from enum import Enum

from smpp.pdu.command import CommandId


class Role(Enum):
    """Which end of the connection this is."""

    ESME = "esme"
    SMSC = "smsc"


class State(Enum):
    """Where a session stands."""

    OPEN = "open"
    BINDING = "binding"
    BOUND_TX = "bound transmitter"
    BOUND_RX = "bound receiver"
    BOUND_TRX = "bound transceiver"
    UNBINDING = "unbinding"
    CLOSED = "closed"


class Input(Enum):
    """What moves a session."""

    BIND_SENT = "bind sent or received"
    BOUND_TX = "transmitter accepted"
    BOUND_RX = "receiver accepted"
    BOUND_TRX = "transceiver accepted"
    BIND_REFUSED = "bind refused"
    UNBIND_SENT = "unbind sent"
    UNBOUND = "unbind answered or received"
    LOST = "connection ended"


BOUND = frozenset({State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX})
TRANSMITTING = frozenset({State.BOUND_TX, State.BOUND_TRX})
RECEIVING = frozenset({State.BOUND_RX, State.BOUND_TRX})

TRANSITIONS: dict[tuple[State, Input], State] = {
    (State.OPEN, Input.BIND_SENT): State.BINDING,
    (State.BINDING, Input.BOUND_TX): State.BOUND_TX,
    (State.BINDING, Input.BOUND_RX): State.BOUND_RX,
    (State.BINDING, Input.BOUND_TRX): State.BOUND_TRX,
    # The specification goes back to OPEN; we open a new connection for every try, as centres expect.
    (State.BINDING, Input.BIND_REFUSED): State.CLOSED,
    (State.BOUND_TX, Input.UNBIND_SENT): State.UNBINDING,
    (State.BOUND_RX, Input.UNBIND_SENT): State.UNBINDING,
    (State.BOUND_TRX, Input.UNBIND_SENT): State.UNBINDING,
    (State.BOUND_TX, Input.UNBOUND): State.CLOSED,
    (State.BOUND_RX, Input.UNBOUND): State.CLOSED,
    (State.BOUND_TRX, Input.UNBOUND): State.CLOSED,
    (State.UNBINDING, Input.UNBOUND): State.CLOSED,
    **{(state, Input.LOST): State.CLOSED for state in State},
}

BIND_INPUTS = {
    int(CommandId.BIND_TRANSMITTER): Input.BOUND_TX,
    int(CommandId.BIND_RECEIVER): Input.BOUND_RX,
    int(CommandId.BIND_TRANSCEIVER): Input.BOUND_TRX,
}

_TO_RECEIVER = frozenset({int(CommandId.DELIVER_SM), int(CommandId.DATA_SM)})
_FROM_TRANSMITTER = frozenset(
    int(command)
    for command in (
        CommandId.SUBMIT_SM,
        CommandId.DATA_SM,
        CommandId.SUBMIT_MULTI,
        CommandId.QUERY_SM,
        CommandId.CANCEL_SM,
        CommandId.REPLACE_SM,
    )
)

TRAFFIC: dict[tuple[Role, State], frozenset[int]] = {
    (Role.ESME, State.BOUND_RX): _TO_RECEIVER,
    (Role.ESME, State.BOUND_TRX): _TO_RECEIVER,
    (Role.SMSC, State.BOUND_TX): _FROM_TRANSMITTER,
    (Role.SMSC, State.BOUND_TRX): _FROM_TRANSMITTER,
}
"""The requests that are handed on to the application, per side and state (SMPP 3.4, table 2-1)."""
