"""The demo: everything embedded in one process, and a handset in the browser to try it with.

`show` puts it together: a test centre, the gateway with its store, the billing of `gateway.demo.billing`, and
the page. All of it talks over real sockets on loopback, so what is seen is what an operator would see.
"""
