"""The error `text-cut`: YAML took the rest of a text for a comment.

The loader finds such places and the field tables judge most of them (the rule stands in
`engine.reading.yaml_text`); both say it in the same words, so that one place is reported once.
"""

from __future__ import annotations

from engine.reading.diagnostic import Place, Report


def report_cut(report: Report, cut: Place, empty: bool = False) -> None:
    """Add the error at the `#` that begins the comment. `empty`: nothing at all is left of the text."""
    if empty:
        report.error(
            "text-cut",
            'the value is empty: YAML takes "#…" for a comment; quote the whole text',
            cut,
            help='a code is written "#100#", with its quotes',
        )
        return
    report.error(
        "text-cut",
        'the text ends here: YAML takes "#…" for a comment; quote the whole text',
        cut,
        help="a comment about a text stands on a line of its own",
    )
