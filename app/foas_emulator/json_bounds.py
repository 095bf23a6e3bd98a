"""The bounds of the JSON in requests: the length of its numbers, its depth, and texts that no answer can carry."""

import json
import re
from typing import Any

LONGEST_NUMBER = 400
"""The most digits of an integer."""
MAX_DEPTH = 100
"""The most lists and objects inside one another: some Pythons parse more than they write, and pages are recursive."""

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def integer(number: str) -> int:
    """Return the value of an integer. Raise ValueError for a long one: reading it takes the square of its length."""
    if len(number) > LONGEST_NUMBER:
        raise ValueError(f"the number {number[:40]}... has over {LONGEST_NUMBER} digits")
    return int(number)


def is_too_deep(text: str, value: Any) -> bool:
    """Whether the value of a JSON text has more than `MAX_DEPTH` lists and objects inside one another."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        inside = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for values in inside for each in values if isinstance(each, dict | list)]
    return bool(level)


def has_lone_surrogate(text: str, value: Any) -> bool:
    """Whether the value of a JSON text holds half of a surrogate pair, which no database can hold."""
    if not _ESCAPED_SURROGATE.search(text):
        return False
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
