import pytest

from foas_emulator.difference import Difference, compare, counted, in_one_line, plain, shown


def test_differences_come_in_the_expected_order_and_then_what_is_too_much() -> None:
    differences = compare({"b": "1", "same": "s", "a": "2"}, {"c": "5", "a": "3", "same": "s"})
    assert differences == [Difference("b", "1", None), Difference("a", "2", "3"), Difference("c", None, "5")]


def test_equal_mappings_do_not_differ() -> None:
    assert compare({"a": "1"}, {"a": "1"}) == []


def test_shown_text_is_one_line_of_ascii() -> None:
    assert shown("a\n中\x00é") == '"a\\n\\u4e2d\\x00\\xe9"'


def test_long_text_is_cut() -> None:
    assert plain("x" * 120) == "x" * 120
    assert plain("x" * 121) == "x" * 117 + "..."


@pytest.mark.parametrize(("number", "text"), [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs")])
def test_a_number_has_the_noun_that_fits(number: int, text: str) -> None:
    assert counted(number, "job") == text


def test_a_text_in_one_line_begins_no_other() -> None:
    assert in_one_line("a\n::error::b\r\x1b") == "a\\n::error::b\\u000d\\u001b"
