"""The Asterisk Gateway Interface without any I/O: commands to octets, octets to replies.

Asterisk is the TCP client and the side that executes; we write one command at a time and read one reply for
each. What the wire looks like was measured on Asterisk 22; the reader says which facts it rests on.
"""
