"""The limits of all documents, and the errors that report flaws in one."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from foas_emulator.json_bounds import LONGEST_NUMBER

MAX_DEPTH = 64
"""The deepest nesting of lists and mappings."""
MAX_MEMBERS = 1000
"""The most members of one mapping."""
MAX_ITEMS = 1_000_000
"""The most items of one list, which are freed at once, and the most lists and mappings of YAML."""
MAX_REPEATED = 200_000
"""The most values that all aliases of a document may repeat; every 32 characters of a text count as one more."""
LONGEST_NAME = 256
"""The most characters of a name in a seed."""
MAX_FAULTS = 1000
"""The most faults of one document to report."""
LONGEST_SHOWN = 1000
"""The most characters of a place and of a message to report: each of a thousand faults may have the same long name."""

Place = tuple[str | int, ...]
"""The place of a value: names of members and positions in lists, from the top."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One flaw of a document: its line, counted from 1, its place, and a message that says what is wrong.

    The line of a value after the first million is not known.
    """

    line: int | None
    place: Place
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", cut(self.message))


class DocumentError(ValueError):
    """A text is not a valid document; `flaws` are all flaws that were found in it."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__("; ".join(map(_line, flaws[:3])))
        self.flaws = flaws


def _line(flaw: Flaw) -> str:
    line = "" if flaw.line is None else f"line {flaw.line}: "
    return f"{line}{path_of(flaw.place)}: {flaw.message}"


def weight(text: str | bytes | bytearray) -> int:
    """Return the size by which to judge how long work on a text takes: aliases can make much of a short one."""
    has_anchor = "&" in text if isinstance(text, str) else b"&" in text
    return max(len(text), MAX_REPEATED) if has_anchor else len(text)


def path_of(place: Place) -> str:
    """Return a place as people write it: `projects[0].jobs[1].JobName`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part[:LONGEST_SHOWN]}" for part in place)
    return cut(text.removeprefix(".")) or "document"


def cut(text: str) -> str:
    """Return a text without its middle if it is too long to report."""
    half = LONGEST_SHOWN // 2
    return text if len(text) <= LONGEST_SHOWN else f"{text[:half]}...{text[-half:]}"


def quoted(text: str) -> str:
    """Return a text in quotes, cut before: to escape a long one takes five milliseconds a megabyte, and all threads."""
    return repr(cut(text))


TOO_DEEP = f"lists and mappings are nested more than {MAX_DEPTH} deep"
TOO_MANY = f"a mapping has more than {MAX_MEMBERS} members"
TOO_MANY_ITEMS = f"a list has more than {MAX_ITEMS} items"
TOO_MANY_PARTS = f"it has more than {MAX_ITEMS} lists and mappings; give it as JSON"
SURROGATE = "the text holds half of a surrogate pair, which no answer can carry"


class NumberError(ValueError):
    """A number is beyond 64 bits or not finite."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"the number {_shortened(text)} {reason}")
        self.text = text


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:20]}... of {len(text)} characters"  # noqa: PLR2004


_LONG = 2**63


def integer(text: str, read: Callable[[str], int] = int) -> int:
    value = _LONG if len(text) > LONGEST_NUMBER else read(text)
    if not -_LONG <= value < _LONG:
        raise NumberError(text, "has more than 64 bits")
    return value


def decimal(text: str, read: Callable[[str], float] = float) -> float:
    try:
        value = math.inf if len(text) > LONGEST_NUMBER else read(text)
    except OverflowError:  # of many parts, as in 1:1:1.0, whose value is that of a number to the base of 60
        value = math.inf
    if not math.isfinite(value):
        raise NumberError(text, "is not finite")
    return value
