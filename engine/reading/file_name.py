"""Names of flow files: what a file may be called whose name is not one. This module knows no folders."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

ALLOWED = "names are a-z, 0-9 and _, a letter first"

_ENDINGS = (".test.yaml", ".test.yml", ".yaml", ".yml")


def better_name(name: str) -> str:
    """Return a file name as a flow, or a test of one, may have it: `My Flow.yml` becomes `my_flow.yaml`."""
    lower = name.casefold()
    ending = next((one for one in _ENDINGS if lower.endswith(one)), PurePosixPath(lower).suffix)
    words = re.findall(r"[a-z0-9]+", lower.removesuffix(ending))
    stem = "_".join(words) or "flow"
    if stem[0].isdigit():
        stem = f"flow_{stem}"
    return f"{stem}{'.test' if '.test' in ending else ''}.yaml"
