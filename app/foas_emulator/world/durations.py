"""Durations as people write them. Imports nothing that is slow: the command line reads its settings with it."""

import re
from dataclasses import dataclass

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
LONGEST_DAYS = 3_000_000
"""The longest duration, in days: it reaches beyond the year 9999, where every clock ends."""

_MOST_SHOWN = 60
_DURATION = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?\s*")
_RATE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(%)?\s*")


def duration(text: str | float) -> int:
    """Return the milliseconds of `30s`, `500ms`, `2m`, `1h`, `3d`; a bare number is seconds. Raise ValueError."""
    match = _DURATION.fullmatch(str(text))
    if match is None:
        raise ValueError(f"{_shown(text)} is not a duration: give a number with ms, s, m, h or d, such as 30s or 500ms")
    number, unit = match.groups()
    milliseconds = float(number) * _UNITS[unit or "s"]
    if milliseconds > LONGEST_DAYS * _UNITS["d"]:
        raise ValueError(f"{_shown(text)} is too long for a duration: give {LONGEST_DAYS}d at most")
    return round(milliseconds)


def _shown(text: str | float) -> str:
    shown = str(text)
    return repr(text) if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]!r}..."


def duration_text(milliseconds: int) -> str:
    """Return a duration as `duration` reads it, in the largest unit that is exact."""
    if milliseconds == 0:
        return "0s"
    unit = next(unit for unit, size in reversed(_UNITS.items()) if milliseconds % size == 0)
    return f"{milliseconds // _UNITS[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class Span:
    """From one duration to another, in milliseconds; both are the same where nothing varies."""

    shortest: int = 0
    longest: int = 0

    def at(self, fraction: float) -> float:
        """The milliseconds at a fraction of the way from the shortest to the longest."""
        return self.shortest + (self.longest - self.shortest) * fraction


def span(text: str | float) -> Span:
    """The span of `200ms`, or of `100ms-400ms`. Raises ValueError."""
    first, dash, second = str(text).partition("-")
    try:
        found = Span(duration(first), duration(second if dash else first))
    except ValueError:
        found = None
    if found is None or found.longest < found.shortest:
        raise ValueError(
            f"{text!r} is neither a duration nor the shortest and the longest one: give 200ms, 100ms-400ms"
        )
    return found


def span_text(value: Span) -> str:
    """A span as `span` reads it."""
    shortest = duration_text(value.shortest)
    return shortest if value.shortest == value.longest else f"{shortest}-{duration_text(value.longest)}"


def rate(text: str | float) -> float:
    """The number from 0 to 1 that `5%`, or a number from 0 to 1, is. Raises ValueError."""
    match = _RATE.fullmatch(str(text))
    value = -1.0 if match is None else float(match[1]) / (100 if match[2] else 1)
    if not 0 <= value <= 1:
        raise ValueError(f"{text!r} is not a rate: give a percentage such as 5%, or a number from 0 to 1")
    return value


def rate_text(value: float) -> str:
    """A rate as `rate` reads it."""
    return f"{value * 100:.10g}%"
