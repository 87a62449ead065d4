"""A private Asterisk for the demo: the shipped dialplan, SIP on loopback, an account for each subscriber.

What is installed is only run, never changed; everything that Asterisk writes stays in the demo's folder.
"""
