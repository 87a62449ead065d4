"""Checks of a whole flow set: what a single file, compiled by itself, cannot tell (flow-language 4.2).

Each check is a module with `CODES`, the codes it reports, and `check(survey, report)`. They look at a
`Survey` of the compiled flows and never change it. Compiling has found the other codes before.
"""

from __future__ import annotations

from collections.abc import Callable
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
    list_empty,
    menu_size,
    no_answer,
    page_overflow,
    recursion,
    redial,
    result,
    secret_leak,
    sms_parts,
    switch_case,
    undefined,
    unreachable,
    unused,
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
        no_answer,
        unused,
    )
)
"""All checks; their order does not matter, a report is sorted by places."""


def check_flows(flows: FlowSet, report: Report) -> None:
    """Run every check on a compiled flow set."""
    survey = surveyed(flows)
    for check in CHECKS:
        check.run(survey, report)
