from collections.abc import Callable
from urllib.parse import quote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.gateway.escapes import unquoted

PIECES = st.sampled_from(
    [
        "%41",
        "%3d",
        "%3D",
        "%e4%b8%ad",
        "é",
        "=",
        "+",
        "a",
        "%0a",
        "\n",
        "\r",
        "%0D",
        "_",
        "%5F",
        " ",
        "\t",
        ".",
        "\0",
        "%00",
        "%25",
        "%2B",
    ]
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_quoted_is_what_it_was(text: str) -> None:
    assert unquoted(quote(text, safe="")) == text


@given(st.lists(PIECES).map("".join))
def test_it_means_what_the_library_says(text: str) -> None:
    assert unquoted(text) == unquote_plus(text, errors="strict")


@pytest.mark.parametrize("text", ["%fe", "%e4%b8", "%e4中"])
def test_bytes_that_are_not_utf_8_are_refused(text: str) -> None:
    with pytest.raises(UnicodeDecodeError):
        unquoted(text)


@pytest.mark.parametrize("before", ["", "a", "=", "%3D", "%0D", "_", " ", "+", "é", "\n"])
@pytest.mark.parametrize("after", ["", "a", "=", "%3D", "%0A", "_", " ", "\t", "é", "\0", "\r\n"])
def test_every_character_and_every_escape_means_what_the_library_says_whatever_is_beside_it(
    before: str, after: str
) -> None:
    for code in range(256):
        for text in (chr(code), f"%{code:02X}", f"%{code:02x}"):
            if text == "%":
                continue  # no whole escape, which is refused before
            whole = before + text + after
            assert _read(unquoted, whole) == _read(lambda given: unquote_plus(given, errors="strict"), whole), whole


def _read(read: Callable[[str], str], text: str) -> str | None:
    try:
        return read(text)
    except UnicodeDecodeError:
        return None
