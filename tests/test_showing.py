import pytest

from foas_emulator.showing import counted, in_one_line, plain, shown


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
