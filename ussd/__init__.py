"""The USSD channel: operations, session correlation, dialects as data, screens. Pure: no I/O, no clock.

`ussd.centre.UssdChannel` is the entrance; `ussd.dialect_file.read_dialect` reads `config/dialects/`.
"""
