"""`gudok check` as a person and a program see it."""

import json
from pathlib import Path


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
    strict = gudok("check", root, "--strict")
    assert (strict.exit_code, strict.output) == (1, result.output)


def test_a_hint_does_not_fail_a_strict_check(gudok, root):
    (root / "flows" / "lonely.yaml").write_text("flow: { title: т }\nstart:\n  - end: Да.\n", "utf-8")
    result = gudok("check", root, "--strict")
    assert result.exit_code == 0
    assert result.output.endswith("no errors, 1 hint\n")


def test_recordings_are_known_by_their_names(gudok, root):
    (root / "flows" / "hello.yaml").write_text(
        'flow: { title: т, call: "0890" }\nstart:\n  - say: Привет!\n    sound: hello\n  - callback: q\n',
        "utf-8",
    )
    settings = root / "config" / "project.yaml"
    settings.write_text(settings.read_text("utf-8") + "queues: { q: {} }\n", "utf-8")
    assert "nothing is recorded in ru" in gudok("check", root).output
    sounds = root / "flows" / "sounds" / "ru"
    sounds.mkdir(parents=True)
    (sounds / "hello.wav").write_bytes(b"")
    assert "recorded" not in gudok("check", root).output
    (sounds / "bye.wav").write_bytes(b"")
    assert (
        "flows/sounds/ru/bye.wav:1:1: hint: nothing plays the recording ru/bye" in gudok("check", root).output
    )


def test_one_broken_flow_does_not_hide_what_is_wrong_in_the_others(gudok, root, edit):
    edit("flows/buy.yaml", "      unknown:\n        end: Проверяем.\n", "")
    (root / "flows" / "broken.yaml").write_text("flow: { title: т }\nstart:\n  - ende: Да.\n", "utf-8")
    result = gudok("check", root)
    assert "[unknown-step]" in result.output
    assert "flows/buy.yaml:5:5: error: b.buy takes money" in result.output
    assert "settled" not in result.output


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


SETTINGS = """\
http: 127.0.0.1:8080
smpp:
  main:
    host: env.HOST
    port: env.PORT
    password: env.SMPP_PASSWORD
    dialect: standard
"""


def settings(root, text=SETTINGS, dialect="{}\n"):
    (root / "config" / "gateway.yaml").write_text(text)
    (root / "config" / "dialects").mkdir()
    (root / "config" / "dialects" / "standard.yaml").write_text(dialect)


def test_settings_are_checked_and_what_the_environment_will_hold_counts_as_given(gudok, root):
    settings(root)
    result = gudok("check", root)
    assert (result.exit_code, result.output) == (0, "no errors\n")


def test_the_shipped_project_is_clean_without_its_password(gudok, monkeypatch):
    monkeypatch.delenv("SMPP_PASSWORD", raising=False)
    result = gudok("check", Path(__file__).parents[3], "--strict")
    assert result.exit_code == 0
    assert result.output.rpartition("\n\n")[2].startswith("no errors")


def test_a_mistake_in_the_settings_is_shown_with_its_line(gudok, root):
    settings(root, SETTINGS.replace("port:", "prot:"))
    result = gudok("check", root)
    assert result.exit_code == 1
    assert 'config/gateway.yaml:5:5: error: "prot" is not a field' in result.output
    assert "5 |     prot: env.PORT" in result.output


def test_a_dialect_that_is_missing_is_an_error_at_its_name(gudok, root):
    settings(root, SETTINGS.replace("dialect: standard", "dialect: standart"))
    result = gudok("check", root)
    assert result.exit_code == 1
    assert "config/gateway.yaml:7:14: error: smpp.main: there is no dialect standart" in result.output
    assert 'did you mean "standard"?' in result.output


def test_a_mistake_in_a_dialect_is_shown_with_its_line(gudok, root):
    settings(root, dialect="ussd:\n  moed: tlv\n")
    result = gudok("check", root)
    assert result.exit_code == 1
    assert "config/dialects/standard.yaml:2:3: error:" in result.output
    assert "2 |   moed: tlv" in result.output


def test_a_dialect_with_smaller_pages_than_the_project_is_an_error(gudok, root):
    settings(root, dialect="ussd:\n  page_chars: { ucs2: 40 }\n")
    result = gudok("check", root)
    assert result.exit_code == 1
    assert "the project assumes 80" in result.output
