"""Coverage counts what a channel can reach, by line and branch; charging branches are named apart."""

from engine.testing.coverage import covered
from engine.testing.rehearsal import rehearse
from tests.engine.machine.script import compiled

FLOW = """
flow: {title: т, ussd: "*1#"}
start:
  - if: channel == 'voice'
    then:
      end: Только в звонке.
  - request: b.buy
    with: { fee: 5 }
    errors:
      low:
        end: Не хватает.
      unknown:
        end: Проверяем.
  - refuse:
      channel == 'sms': Не здесь.
      caller == '1': Не вам.
  - end: Куплено.
"""
TESTS = """
backends:
  b.buy: { left: 1 }
tests:
  куплено:
    - dial: "*1#"
    - see: Куплено.
  не хватает:
    - given: { b.buy: low }
    - dial: "*1#"
"""


def test_what_is_missing_is_told_by_line_and_branch():
    flows = compiled({"a": FLOW})
    coverage = rehearse(flows, {"flows/a.test.yaml": TESTS}).coverage
    assert [str(unit) for unit in coverage.missing] == [
        "flows/a.yaml:7: request (unknown)",
        "flows/a.yaml:13: end",
        "flows/a.yaml:14: refuse (caller == '1')",
    ]
    assert [str(unit) for unit in coverage.charging] == ["flows/a.yaml:7: request (unknown)"]


def test_without_tests_nothing_is_covered():
    coverage = covered(compiled({"a": FLOW}), ())
    assert coverage.percent == 0
    assert len(coverage.missing) == coverage.total


def test_only_the_named_cases_are_played():
    flows = compiled({"a": FLOW})
    played = rehearse(flows, {"flows/a.test.yaml": TESTS}, only="НЕ ХВАТАЕТ")
    assert [outcome.case.name for outcome in played.outcomes] == ["не хватает"]
    assert played.outcomes[0].transcript == (
        "> *1#",
        "· request b.buy {fee: 5} → low",
        "< Не хватает.",
        "■",
    )
