"""`gudok check` as a person and a program see it."""

import json


def test_a_sound_project(gudok, root):
    result = gudok("check", root)
    assert (result.exit_code, result.output) == (0, "no errors\n")


def test_an_error_has_its_line_a_caret_and_a_remedy(gudok, root, edit):
    edit("flows/buy.yaml", "      unknown:\n        end: Проверяем.\n", "")
    result = gudok("check", root)
    assert result.exit_code == 1
    assert result.output == (
        "flows/buy.yaml:5:5: error: b.buy takes money: say what the caller hears when the outcome is unknown"
        " (errors: unknown:) [charge-unknown]\n"
        "5 |   - request: b.buy\n"
        "  |     ^^^^^^^\n"
        "  = help: errors: { unknown: checking }, with a scene that promises an SMS and no result\n"
        "\n"
        "1 error\n"
    )


def test_a_warning_is_shown_and_does_not_fail(gudok, root, edit):
    edit("flows/buy.yaml", "      low:\n        end: Не хватает.\n", "")
    result = gudok("check", root)
    assert result.exit_code == 0
    assert "warning" in result.output
    assert result.output.endswith("no errors, 1 warning\n")


def test_as_data(gudok, root, edit):
    edit("flows/buy.yaml", "request: b.buy", "request: b.bye")
    result = gudok("check", root, "--json")
    data = json.loads(result.output)
    assert result.exit_code == 1
    assert data["counts"]["error"] == len([one for one in data["findings"] if one["severity"] == "error"])
    first = data["findings"][0]
    assert (first["file"], first["line"], first["column"], first["code"]) == (
        "flows/buy.yaml",
        5,
        14,
        "no-op",
    )


def test_a_folder_that_is_no_project(gudok, tmp_path):
    result = gudok("check", tmp_path)
    assert result.exit_code == 1
    assert "is no project: it has no folder flows/" in result.output


def test_the_group_lists_its_commands_without_loading_them(gudok):
    result = gudok("--help")
    assert result.exit_code == 0
    assert "check" in result.output
    assert gudok("chek").exit_code == 2
