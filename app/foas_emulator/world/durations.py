"""Durations as people write them. Imports nothing that is dear: the command line reads its settings with it."""

import re

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"\s*([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*(ms|s|m|h|d)?\s*")


def duration(text: str | float) -> int:
    """Milliseconds of `30s`, `500ms`, `2m`, `1h`, `3d`; a bare number is seconds. Raises ValueError."""
    match = _DURATION.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{text!r} is not a duration: give a number with ms, s, m, h or d, such as 30s or 500ms")
    number, unit = match.groups()
    return round(float(number) * _UNITS[unit or "s"])


def duration_text(milliseconds: int) -> str:
    """A duration as `duration` reads it, in the largest unit that is exact."""
    if milliseconds == 0:
        return "0s"
    unit = next(unit for unit, size in reversed(_UNITS.items()) if milliseconds % size == 0)
    return f"{milliseconds // _UNITS[unit]}{unit}"
