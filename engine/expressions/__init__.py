"""Expressions and texts: Jinja2's syntax, checked by an allow-list and compiled to closures over data.

Jinja2 reads the source at load and is not there at run time. Attribute access is a lookup in data, so no
Python attribute can be reached; values are never compiled nor rendered again. See flow-language 2.10 and 5.
"""

from __future__ import annotations

from engine.expressions.closures import Use
from engine.expressions.errors import ExpressionFailed, ExpressionProblems
from engine.expressions.expression import (
    Expression,
    Template,
    Typed,
    compile_expression,
    compile_template,
    narrowed_by,
)
from engine.expressions.question import Ask
from engine.expressions.vocabulary import BUILT_IN, Vocabulary
from engine.expressions.world import Scope, World, question_key

__all__ = [
    "BUILT_IN",
    "Ask",
    "Expression",
    "ExpressionFailed",
    "ExpressionProblems",
    "Scope",
    "Template",
    "Typed",
    "Use",
    "Vocabulary",
    "World",
    "compile_expression",
    "compile_template",
    "narrowed_by",
    "question_key",
]
