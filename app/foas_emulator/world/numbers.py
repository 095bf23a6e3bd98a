"""Whole numbers as people write them. Imports nothing slow, because the command line reads its settings with it."""

import re

from foas_emulator.difference import abridged

_WHOLE = re.compile(r"[ \t]*(-?[0-9]{1,400})[ \t]*")


def whole_number(text: str) -> int:
    """Return the number that a text is, in digits alone. Raise ValueError for more than 400, as in JSON."""
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise ValueError(f"{abridged(text)} is not a valid integer")
    return int(found[1])
