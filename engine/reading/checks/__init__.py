"""Checks of a whole flow set: what a single file, compiled by itself, cannot tell (flow-language 4.2).

Each check is a module with `CODES`, the codes it reports, and `check(survey, report)`. They look at a
`Survey` of the compiled flows and never change it. Compiling has found the other codes before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from engine.flow_set import FlowSet
from engine.reading.checks import (
    argument,
    channel,
    charge_loop,
    charge_outcome,
    charge_repeat,
    charset_flip,
    dead_end,
    endless_loop,
    error_unhandled,
    expression_type,
    head_start,
    hours,
    list_empty,
    menu_depth,
    menu_key,
    menu_size,
    no_operator,
    no_recording,
    no_recording_notice,
    no_translation,
    page_overflow,
    recursion,
    redial,
    result,
    secret_leak,
    silent_person,
    slow,
    sms_parts,
    stale_translation,
    style,
    survey_end,
    switch_case,
    translation_vars,
    trigger_shadow,
    undefined,
    unreachable,
    unused,
    voice_long,
)
from engine.reading.checks.survey import Survey, surveyed
from engine.reading.diagnostic import Report

__all__ = ["CHECKS", "Check", "check_flows"]


@dataclass(frozen=True, slots=True)
class Check:
    """A registered check: its name, the codes it may report, what it does."""

    name: str
    codes: tuple[str, ...]
    run: Callable[[Survey, Report], None]


CHECKS: tuple[Check, ...] = tuple(
    Check(module.__name__.rpartition(".")[2], module.CODES, module.check)
    for module in (
        undefined,
        expression_type,
        argument,
        result,
        switch_case,
        unreachable,
        endless_loop,
        recursion,
        charge_outcome,
        charge_loop,
        charge_repeat,
        redial,
        error_unhandled,
        channel,
        secret_leak,
        page_overflow,
        sms_parts,
        charset_flip,
        dead_end,
        list_empty,
        menu_size,
        silent_person,
        voice_long,
        menu_key,
        menu_depth,
        no_operator,
        head_start,
        hours,
        survey_end,
        no_recording_notice,
        no_recording,
        trigger_shadow,
        slow,
        no_translation,
        stale_translation,
        translation_vars,
        style,
        unused,
    )
)
"""All checks; their order does not matter, a report is sorted by places."""


def check_flows(
    flows: FlowSet, report: Report, complete: bool = True, recordings: Collection[str] | None = None
) -> None:
    """Run every check on a compiled flow set.

    Without `complete` flows that do not compile are missing from it. `recordings` are the names of the
    project's sounds (`ru/greeting`), None where they are not known.
    """
    survey = surveyed(flows, complete, recordings)
    for check in CHECKS:
        check.run(survey, report)
