"""Durations as people write them. Imports nothing that is slow: the command line reads its settings with it."""

import re

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST_DAYS = 3_000_000
"""The longest duration, in days: it reaches beyond the year 9999, where every clock ends."""

_MOST_SHOWN = 60
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?\s*")
_COMPOUND = re.compile(r"\s*(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?\s*", re.ASCII)


def duration(text: str | float) -> int:
    """Return the milliseconds of `30s`, `500ms`, `4m59s`, `1h`, `3d`; a bare number is seconds. Raise ValueError."""
    match = _DURATION.fullmatch(str(text))
    if match is not None:
        number, unit = match.groups()
        milliseconds = float(number) * _UNITS[unit or "s"]
    else:
        milliseconds = _compound(text)
    if milliseconds > LONGEST_DAYS * _UNITS["d"]:
        raise ValueError(f"{_shown(text)} is too long for a duration: give {LONGEST_DAYS}d at most")
    return round(milliseconds)


def _compound(text: str | float) -> float:
    """Return the milliseconds of several numbers with units, the largest unit first."""
    match = _COMPOUND.fullmatch(str(text))
    if match is None or not any(match.groups()):
        raise ValueError(f"{_shown(text)} is not a duration: give a number with ms, s, m, h or d, such as 30s or 500ms")
    sizes = sorted(_UNITS.values(), reverse=True)
    return sum(float(number) * size for number, size in zip(match.groups(), sizes, strict=True) if number)


def _shown(text: str | float) -> str:
    shown = str(text)
    return repr(text) if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]!r}..."


def duration_text(milliseconds: int) -> str:
    """Return a duration as `duration` reads it, in the largest unit that is exact."""
    if milliseconds == 0:
        return "0s"
    unit = next(unit for unit, size in reversed(_UNITS.items()) if milliseconds % size == 0)
    return f"{milliseconds // _UNITS[unit]}{unit}"
