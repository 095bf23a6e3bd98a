import codecs

import pytest

from foas_emulator.gateway.encodings import foreign_encoding, utf8_text


@pytest.mark.parametrize("text", ["", "a", "ä", "projects: []", "中文"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_utf8_is_read_with_and_without_a_mark(text: str, mark: bytes) -> None:
    assert utf8_text(mark + text.encode()) == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["{}", "projects: []\n"])
def test_utf16_is_named_with_and_without_a_mark(text: str, encoding: str) -> None:
    with pytest.raises(ValueError, match="it is UTF-16, as Windows PowerShell writes it; save it as UTF-8"):
        utf8_text(text.encode(encoding))


def test_utf32_is_named() -> None:
    assert foreign_encoding(b"\xff\xfe\0\0{\0\0\0") == "UTF-32"


@pytest.mark.parametrize("content", [bytes(5), b"", b"ab\0c", b"\xef\xbb"])
def test_other_bytes_are_not_taken_for_text_in_another_encoding(content: bytes) -> None:
    assert foreign_encoding(content) is None


def test_the_line_that_is_not_utf8_is_named() -> None:
    with pytest.raises(ValueError, match="line 3 is not UTF-8, but perhaps an older encoding"):
        utf8_text("a\n\nä".encode("latin-1"))
