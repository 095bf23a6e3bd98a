"""Durations and integers as people write them. Imports nothing slow: the command line parses its settings with it."""

import re
from dataclasses import dataclass

from foas_emulator.showing import abridged

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_WHOLE = [f"[0-9]{{1,16}}{unit}" for unit in reversed(_UNITS)]
_ONE = r"[0-9]{1,16}(?:\.[0-9]{1,16})?(?:[ \t]*(?:ms|s|m|h|d))?"
_SEVERAL = "|".join(
    first + "".join(f"(?:{smaller})?" for smaller in _WHOLE[place:]) for place, first in enumerate(_WHOLE[:-1], 1)
)
PATTERN = rf"[ \t]*(?:{_ONE}|{_SEVERAL})[ \t]*"
"""The pattern of a duration: one number, or several whole ones, the largest unit first. It is valid for RE2 too."""
LONGEST = 36_525 * _UNITS["d"]
"""The longest duration, a hundred years, in milliseconds; an instant plus a few of them is still a valid instant."""
_DURATION = re.compile(PATTERN)
_PART = re.compile(r"([0-9.]+)[ \t]*(ms|s|m|h|d)?")
_LONGEST_TEXT = 1000
"""The most characters of a duration or a rate, blanks included: each alternative of a pattern reads all of them."""
SPAN_PATTERN = f"(?:{PATTERN}(?:-{PATTERN})?)"
"""The pattern of a span: a duration, or the shortest and the longest."""
_PERCENTAGE = r"(?:100(?:\.0{1,16})?|[0-9]{1,2}(?:\.[0-9]{1,16})?)[ \t]*%"
RATE_PATTERN = rf"[ \t]*(?:{_PERCENTAGE}|1(?:\.0{{1,16}})?|0(?:\.[0-9]{{1,16}})?)[ \t]*"
"""The pattern of a rate: a percentage, or a number from 0 to 1."""
_RATE = re.compile(RATE_PATTERN)
_INTEGER = re.compile(r"[ \t]*(-?[0-9]{1,400})[ \t]*")


def whole_number(text: str) -> int:
    """Return the number that a text is, in digits alone. Raise ValueError for more than 400, as in JSON."""
    found = _INTEGER.fullmatch(text)
    if found is None:
        raise ValueError(f"{abridged(text)} is not a valid integer")
    return int(found[1])


def duration(value: str | float) -> int:
    """Return the milliseconds of `30s`, `500ms`, `4m59s`, `1h`, `3d`; a bare number is seconds. Raise ValueError."""
    if isinstance(value, str):
        if len(value) > _LONGEST_TEXT or _DURATION.fullmatch(value) is None:
            raise _no_duration(value)
        milliseconds = sum(float(number) * _UNITS[unit or "s"] for number, unit in _PART.findall(value))
    elif isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:  # NaN is not
        raise _no_duration(value)
    else:
        milliseconds = float(min(value, LONGEST)) * 1000
    if milliseconds > LONGEST:
        raise ValueError(f"{abridged(value)} is too long for a duration: give a hundred years (36525d) at most")
    return round(milliseconds)


def duration_text(milliseconds: int) -> str:
    """Return a duration as a text that `duration` reads, in the largest unit that is exact."""
    if milliseconds == 0:
        return "0s"
    unit = next(unit for unit, size in reversed(_UNITS.items()) if milliseconds % size == 0)
    return f"{milliseconds // _UNITS[unit]}{unit}"


def _no_duration(value: object) -> ValueError:
    return ValueError(f"{abridged(value)} is not a duration: give a number with ms, s, m, h or d, such as 30s or 500ms")


@dataclass(frozen=True, slots=True)
class Span:
    """A range of durations in milliseconds; both ends are the same if the duration does not vary."""

    shortest: int = 0
    longest: int = 0

    def at(self, fraction: float) -> float:
        """Return the milliseconds at a fraction of the way from the shortest to the longest."""
        return self.shortest + (self.longest - self.shortest) * fraction


def span(text: str | float) -> Span:
    """Return the span of a text such as `200ms` or `100ms-400ms`. Raise ValueError."""
    first, dash, second = text.partition("-") if isinstance(text, str) else (text, "", "")
    try:
        found = Span(duration(first), duration(second if dash else first))
    except ValueError:
        found = None
    if found is None or found.longest < found.shortest:
        raise ValueError(
            f"{abridged(text)} is neither a duration nor the shortest and the longest one: give 200ms, 100ms-400ms"
        )
    return found


def span_text(value: Span) -> str:
    """Return a span as a text that `span` reads."""
    shortest = duration_text(value.shortest)
    return shortest if value.shortest == value.longest else f"{shortest}-{duration_text(value.longest)}"


def rate(text: str | float) -> float:
    """Return a rate as a number from 0 to 1; `5%` is 0.05. Raise ValueError."""
    if isinstance(text, str):
        fits = len(text) <= _LONGEST_TEXT and _RATE.fullmatch(text) is not None
    else:
        fits = not isinstance(text, bool) and isinstance(text, int | float) and 0 <= text <= 1
    if not fits:
        raise ValueError(f"{abridged(text)} is not a rate: give a percentage such as 5%, or a number from 0 to 1")
    number, percent, _ = str(text).partition("%")
    return abs(float(number)) / (100 if percent else 1)  # -0.0 is written as no rate is


def rate_text(value: float) -> str:
    """Return a rate as a text that `rate` reads."""
    number = f"{value * 100:.10f}".rstrip("0").removesuffix(".")
    return f"{number}%"
