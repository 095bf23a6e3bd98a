from urllib.parse import quote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.gateway.escapes import unquoted

PIECES = st.sampled_from(
    ["%41", "%3d", "%3D", "%e4%b8%ad", "é", "=", "+", "a", "%0a", "\n", "\r", "%0D", "_", "%5F", " ", "\t", "."]
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_quoted_is_what_it_was(text: str) -> None:
    assert unquoted(quote(text, safe="")) == text


@given(st.lists(PIECES).map("".join))
def test_it_means_what_the_library_says(text: str) -> None:
    assert unquoted(text) == unquote_plus(text, errors="strict")


@pytest.mark.parametrize("text", ["%fe", "%e4%b8", "%e4中"])
def test_what_is_not_utf_8_is_refused(text: str) -> None:
    with pytest.raises(UnicodeDecodeError):
        unquoted(text)
