"""The limits of every document, and how what is wrong with one is reported."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MAX_DEPTH = 64
"""How deep lists and mappings may stand in each other."""
MAX_MEMBERS = 1000
"""How many members one mapping may have."""
MAX_REPEATED = 200_000
"""How much all aliases of a document may repeat: values, and 32 characters of their texts as one more."""
MAX_FAULTS = 1000
"""How many faults of one document are reported."""

Place = tuple[str | int, ...]
"""Where a value stands: names of members and positions in lists, from the top."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a document: the line, counted from 1, the place, and what is wrong."""

    line: int
    place: Place
    message: str


class DocumentError(ValueError):
    """A text that is no document, with every flaw that was found in it."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__("; ".join(f"line {flaw.line}: {path_of(flaw.place)}: {flaw.message}" for flaw in flaws[:3]))
        self.flaws = flaws


def path_of(place: Place) -> str:
    """Return a place as people write it: `projects[0].jobs[1].JobName`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "document"


TOO_DEEP = f"lists and mappings stand in each other more than {MAX_DEPTH} deep"
TOO_MANY = f"a mapping has more than {MAX_MEMBERS} members"
SURROGATE = "the text holds half of a surrogate pair, which no answer can carry"


class NumberError(ValueError):
    """A number that nothing here can hold."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"the number {_shortened(text)} {reason}")
        self.text = text


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:20]}... of {len(text)} characters"  # noqa: PLR2004


LONGEST_NUMBER = 400
_LONG = 2**63


def integer(text: str, read: Callable[[str], int] = int) -> int:
    value = _LONG if len(text) > LONGEST_NUMBER else read(text)
    if not -_LONG <= value < _LONG:
        raise NumberError(text, "has more than 64 bits")
    return value


def decimal(text: str, read: Callable[[str], float] = float) -> float:
    value = math.inf if len(text) > LONGEST_NUMBER else read(text)
    if not math.isfinite(value):
        raise NumberError(text, "is not finite")
    return value
