"""The Asterisk Manager Interface: octets to messages, a session that keeps actions and answers together.

`protocol` and `session` do no I/O; `client` is the connection. What is sent needs the rights
`read=call,agent,user` and `write=originate,agent,reporting` and nothing else.
"""

from ivr.ami.client import AmiClient
from ivr.ami.message import ActionError, Message
from ivr.ami.session import AmiSession, Outcome

__all__ = ["ActionError", "AmiClient", "AmiSession", "Message", "Outcome"]
