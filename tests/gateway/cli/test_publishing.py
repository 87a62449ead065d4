"""What the running gateway takes: flows that pass the same checks as `gudok check`, and no others."""

import os

import pytest

from gateway.library import FlowsBrokenError, Library

UNKNOWN = "      unknown:\n        end: Проверяем.\n"


def test_flows_that_fail_a_check_of_the_whole_set_do_not_start(root, edit):
    edit("flows/buy.yaml", UNKNOWN, "")
    with pytest.raises(FlowsBrokenError) as broken:
        Library(root)
    assert [found.code for found in broken.value.report.diagnostics] == ["charge-unknown"]


def test_a_saved_file_that_fails_leaves_the_flows_before_in_force(root, edit):
    library = Library(root)
    build = library.current.build
    edit("flows/buy.yaml", UNKNOWN, "")
    assert library.look() is False
    assert library.current.build == build
    assert library.report.has_errors
    edit("flows/buy.yaml", "        end: Не хватает.\n", "        end: Мало денег.\n" + UNKNOWN)
    os.utime(root / "flows" / "buy.yaml", (1, 1))  # the same second would do for a change of equal size
    assert library.look() is True
    assert library.current.build != build
    assert not library.report.has_errors


def test_a_warning_does_not_keep_flows_from_starting(root, edit):
    edit("flows/buy.yaml", "      low:\n        end: Не хватает.\n", "")
    library = Library(root)
    assert [found.code for found in library.report.diagnostics] == ["error-unhandled"]


def test_a_build_in_force_is_taken_back_even_if_it_would_not_pass_today(root, edit):
    """Sessions of a stored build go on after a restart, whatever newer checks say of its flows."""
    library = Library(root)
    packed, build = library.pack_current(), library.current.build
    edit("flows/buy.yaml", "Куплено", "Продано")
    again = Library(root)
    assert again.current.build != build
    assert again.adopt(build, packed) is True
    assert build in again.builds
