"""The dialects that the centres of the settings name, read from `config/dialects/`.

`standard` is built in: without a file of that name a centre speaks as the specifications have it, and numbers
are written as in the country of the project.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.capabilities import Capabilities
from engine.reading.diagnostic import Report
from engine.reading.suggestion import did_you_mean
from gateway.centre_settings import Centre
from gateway.project_files import ProjectError, read_text
from gateway.settings import Settings
from ussd.dialect import Dialect
from ussd.dialect_file import read_dialect

FOLDER = "config/dialects"
STANDARD = "standard"
_HOMES = {
    "RU": "{ code: 7, trunk: 8, digits: 10 }",
    "KZ": "{ code: 7, trunk: 8, digits: 10 }",
    "TJ": "{ code: 992, digits: 9 }",
    "UZ": "{ code: 998, digits: 9 }",
    "KG": "{ code: 996, trunk: 0, digits: 9 }",
    "AM": "{ code: 374, trunk: 0, digits: 8 }",
    "BY": "{ code: 375, trunk: 80, digits: 9 }",
}
"""How numbers are written in a country: the section `country` of a dialect. Source: national plans, E.164."""


def dialect_file(name: str) -> str:
    """Return the file of a dialect, as a path in the project."""
    return f"{FOLDER}/{name}.yaml"


def built_in(country: str) -> str:
    """Return the text of the standard dialect of a project in `country` (ISO code)."""
    return f"country: {_HOMES[country]}\n" if country in _HOMES else "{}\n"


@dataclass(frozen=True, slots=True)
class Dialects:
    """The dialects of a project in `country` (ISO code).

    `ussd` are the limits that the flows were checked against: a dialect may not be tighter. None: not known.
    """

    root: Path
    ussd: Capabilities | None = None
    country: str = "RU"

    def load(self, centre: Centre, report: Report, sources: dict[str, str]) -> Dialect | None:
        """Read the dialect of a centre; None when the report says why not.

        The text of the file goes to `sources`, for showing lines. Raises ProjectError for a file that cannot
        be read.
        """
        root, file, at = self.root, dialect_file(centre.dialect), centre.place
        if (root / file).exists():
            sources[file] = read_text(root / file)
        elif centre.dialect == STANDARD:
            sources[file] = built_in(self.country)
        else:
            known = sorted({STANDARD, *(path.stem for path in (root / FOLDER).glob("*.yaml"))})
            report.error(
                "no-dialect",
                f"smpp.{centre.name}: there is no dialect {centre.dialect} ({file} is missing)"
                + did_you_mean(centre.dialect, known),
                at,
                help=f"write {file}; there are {', '.join(known)}" if len(known) > 1 else f"write {file}",
            )
            return None
        dialect = read_dialect(sources[file], file, report)
        if dialect is None or self.ussd is None or "ussd" not in centre.carries:
            return dialect
        tighter = dialect.tighter_than(self.ussd)
        if tighter:
            report.error("dialect", f"smpp.{centre.name}: {file}: " + "; ".join(tighter), at)
            return None
        return dialect

    def check(self, settings: Settings, report: Report, sources: dict[str, str]) -> None:
        """Read the dialects of all centres; what is wrong is in the report."""
        for centre in settings.centres:
            try:
                self.load(centre, report, sources)
            except ProjectError as error:
                report.error("dialect", f"smpp.{centre.name}: {error}", centre.place)
