"""The program: the only package that knows all the others, and the only one that touches the world."""

from __future__ import annotations

__version__ = "0.1.0"
