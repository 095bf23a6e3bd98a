"""A wrong value as messages quote it."""

_LONGEST = 80
_LARGEST = 100
"""The most bits of a number: Python refuses to write very large ones."""


def shown(value: object) -> str:
    """Return a value, cut, or what it is: while all of a large one is written, no other thread runs."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]!r}... of {len(value)} characters"
    if isinstance(value, int) and value.bit_length() > _LARGEST:
        return f"a number of {value.bit_length()} bits"
    return repr(value)
