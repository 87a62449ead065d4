"""`gudok test`: cases, coverage, transcripts, its exit status."""

import json

import pytest

from gateway.cli.test import file_name


def test_all_cases_hold_and_everything_is_run(gudok, root):
    result = gudok("test", root, "--min-cover", 100)
    assert result.exit_code == 0
    assert result.output == "4 cases, none failed; coverage 100 % (12 of 12 steps and branches)\n"


def test_a_failing_case_is_shown_with_its_own_lines(gudok, root, edit):
    edit("flows/buy.yaml", "end: Куплено.", "end: Продано.")
    result = gudok("test", root)
    assert result.exit_code == 1
    assert result.output.startswith(
        "flows/buy.test.yaml:4:7: failed: Куплено: the screen is another\n"
        "     2 |   Куплено:\n"
        '     3 |     - dial: "*1#"\n'
        ">    4 |     - see: Куплено.\n"
        "  expected: Куплено.\n"
        "  seen:     Продано.\n"
    )
    assert "4 cases, 1 failed" in result.output


def test_a_branch_of_a_charge_that_is_not_run_fails(gudok, root, edit):
    edit("flows/buy.test.yaml", "      - { answer: unknown, see: Проверяем. }\n", "")
    result = gudok("test", root)
    assert result.exit_code == 1
    assert "flows/buy.yaml:5: request (unknown): takes money, and no test runs this branch" in result.output
    assert "  flows/buy.yaml:10: end\n" in result.output


def test_too_little_coverage_fails_only_if_asked_for(gudok, root, edit):
    edit(
        "flows/buy.test.yaml",
        "    - event: b.buy_settled\n      with: { done: no }\n    - sms: Не вышло.\n",
        "",
    )
    assert gudok("test", root).exit_code == 0
    result = gudok("test", root, "--min-cover", 90)
    assert result.exit_code == 1
    assert "error: coverage is 83.3 %, at least 90 % is asked for" in result.output


def test_only_some_cases(gudok, root):
    result = gudok("test", root, "-k", "куплено")
    assert (result.exit_code, result.output) == (0, "1 case, none failed\n")
    nothing = gudok("test", root, "-k", "нет такого")
    assert nothing.exit_code == 1
    assert "no test contains" in nothing.output


def test_flows_with_errors_are_not_played(gudok, root, edit):
    edit("flows/buy.yaml", "request: b.buy", "request: b.bye")
    result = gudok("test", root)
    assert result.exit_code == 1
    assert "[no-op]" in result.stderr
    assert "cases" not in result.output.replace(result.stderr, "")


def test_a_faulty_test_file_fails(gudok, root, edit):
    edit("flows/buy.test.yaml", "- ended", "- endet")
    result = gudok("test", root)
    assert result.exit_code == 1
    assert '"endet" is not a word of tests; did you mean "ended"? [unknown-step]' in result.output


def test_as_data(gudok, root, edit):
    edit("flows/buy.test.yaml", "see: Куплено.", "see: Продано.")
    data = json.loads(gudok("test", root, "--json").output)
    assert [case["passed"] for case in data["cases"]] == [False, True, True, True]
    assert data["cases"][0]["failure"] == {
        "line": 4,
        "column": 7,
        "message": "the screen is another",
        "expected": "Продано.",
        "seen": "Куплено.",
    }
    assert data["coverage"] == {"percent": 100, "total": 12, "missing": []}


def test_transcripts(gudok, root, tmp_path):
    result = gudok("test", root, "--transcripts", tmp_path / "out")
    assert result.exit_code == 0
    folder = tmp_path / "out" / "buy"
    assert sorted(path.name for path in folder.iterdir()) == [
        "Иначе_1_answer_low.txt",
        "Иначе_2_answer_unknown.txt",
        "Итог.txt",
        "Куплено.txt",
    ]
    assert (folder / "Куплено.txt").read_text("utf-8") == (
        "# Куплено\n> *1#\n· request b.buy {} → done\n< Куплено.\n■\n"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Да/нет", "Да_нет"), ("../../etc", "etc"), ("***", "case"), ("x" * 200, "x" * 80)],
)
def test_the_name_of_a_transcript_is_only_a_name(name, expected):
    assert file_name(name) == expected
