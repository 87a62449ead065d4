"""The interpreter's collector of cycles, set for a program that keeps many sessions and makes no cycles.

Reference counts free everything that a turn makes. With the usual thresholds the collector would still walk
all open sessions again and again, which costs more than the turns. It knows nothing of what is kept.
"""

from __future__ import annotations

import gc

FIRST_AFTER = 100_000
"""So many more objects made than freed bring a look at the young ones."""
SECOND_AFTER, THIRD_AFTER = 50, 100


def keep_quiet() -> None:
    """Take what is there now for permanent, and look for cycles rarely. Call it once the gateway stands."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(FIRST_AFTER, SECOND_AFTER, THIRD_AFTER)
