"""Which project the demo plays: the folder it is started in, or the flows that come with the package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import gateway
from gateway.project_files import ProjectError, read_text

_REFERENCE = re.compile(r"\benv\.([A-Z][A-Z0-9_]*_URL)\b", re.ASCII)

PLAYED = ("BILLING_URL", "CRM_URL", "MARKETING_URL", "KNOWLEDGE_URL", "NETWORK_URL", "SHOP_URL")
"""The addresses of the back ends that the demo's own service answers for."""


def shipped(root: Path, name: str) -> Path:
    """Return a folder that a project may have of its own, else the one that comes with the package.

    Raises ProjectError when there is neither.
    """
    package = Path(gateway.__file__).parent
    for folder in (root / name, package / "share" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise ProjectError(f"there is no folder {name}: it comes with the package and with `gudok init`")


def find_project(given: Path | None, here: Path) -> Path:
    """Return the project folder. Raises ProjectError when there is none."""
    if given is not None:
        candidates = [given]
    else:
        package = Path(gateway.__file__).parent
        candidates = [here, package / "share", package.parent]
    for candidate in candidates:
        if (candidate / "flows").is_dir() and (candidate / "config").is_dir():
            return candidate.resolve()
    raise ProjectError(f"{candidates[0]} is no project: it has no folders flows/ and config/")


def addresses(root: Path, environment: Mapping[str, str], billing: str) -> dict[str, str]:
    """Return the environment for the flows, with the demo's service for every back end without an address.

    `billing` and `crm` are always the demo's. What it does not know it answers with 404, so that a flow with
    another back end shows how it behaves without it.
    """
    path = root / "config" / "backends.yaml"
    named = _REFERENCE.findall(read_text(path)) if path.exists() else []
    own = {**dict.fromkeys((*named, *PLAYED), billing), **environment}
    return {**own, "BILLING_URL": billing, "CRM_URL": billing}
