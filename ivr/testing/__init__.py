"""A scripted Asterisk: channels that connect to a FastAGI server and do what a caller does, key by key."""
