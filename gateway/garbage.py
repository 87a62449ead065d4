"""The interpreter's collector of cycles, set for a program that keeps many sessions and makes no cycles.

Reference counts free everything that a turn makes. With the usual thresholds the collector would still walk
all open sessions again and again, which costs more than the turns. The memory that a batch
gives back is kept for the next one. It knows nothing of what is kept.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc

FIRST_AFTER = 500_000
"""So many more objects made than freed bring a look at the young ones."""
SECOND_AFTER, THIRD_AFTER = 10, 100
KEPT_FREE = 64 * 1024 * 1024
"""Octets that are free at the end of the heap before the kernel gets some back."""
OWN_MAPPING = 8 * 1024 * 1024
"""Octets from which on something gets pages of its own, which go back to the kernel with it."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def keep_quiet() -> None:
    """Take what is there now for permanent, and look for cycles rarely. Call it once the gateway stands."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(FIRST_AFTER, SECOND_AFTER, THIRD_AFTER)


def keep_memory() -> None:
    """Have what a batch gives back stay at hand for the next one.

    The reads, rows and writes of a large batch are larger than glibc gives out from its heap; it would have
    the kernel take their pages away and clear new ones, batch by batch. Where the C library has no such
    setting, nothing is done.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_M_TRIM_THRESHOLD, KEPT_FREE)
        set_option(_M_MMAP_THRESHOLD, OWN_MAPPING)
