"""What bounds JSON that others have written: its numbers, depth and memory, and texts that no answer can carry."""

import json
import re
from collections.abc import Mapping
from sys import getsizeof
from typing import Any

LONGEST_NUMBER = 400
"""The most digits of an integer, whose reading takes the square of them."""
MAX_DEPTH = 100
"""The most lists and objects inside one another: some Pythons parse more than they write, and pages are recursive."""

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def integer(number: str) -> int:
    """Return the value of an integer. Raise ValueError for one of more than `LONGEST_NUMBER` digits."""
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


def is_whole(text: str) -> bool:
    """Whether a text holds no half of a surrogate pair, which neither a database nor an answer can hold."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def has_lone_surrogate(text: str, value: Any) -> bool:
    """Whether the value of a JSON text holds a text that is not whole."""
    return _ESCAPED_SURROGATE.search(text) is not None and not is_whole(json.dumps(value, ensure_ascii=False))


def memory_of(value: object) -> int:
    """Return the memory, in bytes, of a value of JSON's types. A short body can make many objects."""
    total, remaining = 0, [value]
    while remaining:
        each = remaining.pop()
        total += getsizeof(each)
        if isinstance(each, str):
            continue  # checked first: almost all values are texts, and the check for a Mapping is slow
        if isinstance(each, Mapping):
            remaining += each
            remaining += each.values()
        elif isinstance(each, list):
            remaining += each
    return total
