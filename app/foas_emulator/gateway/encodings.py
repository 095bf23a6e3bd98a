"""The encoding of what people write and send: UTF-8, with or without a byte order mark."""

import json

_FOREIGN = {"utf-16": "UTF-16, as Windows PowerShell writes it", "utf-32": "UTF-32"}


def utf8_text(content: bytes) -> str:
    """Return the text of a file. Raise ValueError, which says what encoding it seems to have."""
    found = foreign_encoding(content)
    if found is not None:
        raise ValueError(f"it is {found}; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"line {line} is not UTF-8, but perhaps an older encoding such as Latin-1 or GBK; save it as UTF-8"
        ) from None


def foreign_encoding(beginning: bytes | bytearray) -> str | None:
    """Return the encoding, UTF-16 or UTF-32, that something seems to have by its first bytes; None if it may be UTF-8.

    It has a byte order mark, or zeros beside its first characters.
    """
    first = beginning[:4]
    return _FOREIGN.get(json.detect_encoding(first)[:6]) if any(first) else None
