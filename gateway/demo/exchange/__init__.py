"""The telephone exchange of the demo: plays Asterisk for the handsets of the page.

Each call is a FastAGI client in front of the gateway's own server, and behind it are the ways of the shipped
dialplan; a prompt is over when the browser has played it. There is no SIP and no voice between people: only
what the gateway can notice.
"""
