"""Recordings and synthesised speech: from the text of a call to files that Asterisk plays."""
