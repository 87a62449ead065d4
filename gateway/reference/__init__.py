"""The reference: a page for each word of the language, each setting and command, written from the source."""
