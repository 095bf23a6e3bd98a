"""Show values and texts in messages: counted, cut, escaped, with the nearest known name."""

import difflib
import re
from collections.abc import Iterable

_SHOWN_CHARACTERS = 120
_ABRIDGED_CHARACTERS = 80
_LONGEST_NAME = 256
"""The most characters of a name to compare."""
_MOST_PAIRS = 400_000
"""The most pairs of characters to compare for all wrong names of a document, some 30 milliseconds of work: looking
for the closest name takes the product of both lengths, and must not take longer than reading."""
_LOOK = 10
"""The pairs as which a known name counts, however short or long it is."""
_MOST_BITS = 100
"""The largest number to show: Python refuses to write very large ones."""
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""All but the line end, and those that change the direction of writing."""


def counted(number: int, thing: str) -> str:
    """Return a number with its noun: `1 world`, `2 worlds`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def plain(text: str) -> str:
    """Return a text as one line of printable ASCII, escaped where necessary and cut to 120 characters."""
    short = text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."
    return short.encode("unicode_escape").decode("ascii")


def harmless(text: str) -> str:
    """Return a text of lines with its control characters escaped as in JSON: a terminal would obey them.

    Names and messages come from servers, which have them from programs.
    """
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def in_one_line(text: str) -> str:
    """Return `harmless(text)` without line ends: a further line could be taken for one of ours, or for a CI's command.

    GitHub Actions obeys lines that begin with `::`.
    """
    return harmless(text.replace("\n", "\\n"))


def shown(text: str) -> str:
    """Return `plain(text)` in double quotes."""
    return f'"{plain(text)}"'


class Suggestions:
    """Remarks with the names that are closest to wrong ones; none any more once many have been compared."""

    def __init__(self) -> None:
        self._pairs = _MOST_PAIRS

    def nearest(self, name: str, known: Iterable[str]) -> str:
        """Return a remark with the known name that is closest to a wrong one; empty if none is close."""
        candidates = self._candidates(name, known)
        # Without candidates, it would look at the whole name all the same.
        near = difflib.get_close_matches(name, candidates, n=1) if candidates else []
        return f" (the nearest is {near[0]!r})" if near else ""

    def _candidates(self, name: str, known: Iterable[str]) -> list[str]:
        candidates: list[str] = []
        for each in known if len(name) <= _LONGEST_NAME else ():
            if self._pairs <= 0:
                break
            self._pairs -= _LOOK
            if len(each) <= _LONGEST_NAME:
                self._pairs -= len(name) * len(each)
                candidates.append(each)
        return candidates


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the remark for a single wrong name."""
    return Suggestions().nearest(name, known)


def abridged(value: object) -> str:
    """Return a wrong value, cut, or what it is: while all of a large one is written, no other thread runs."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a mapping"
    if isinstance(value, str) and len(value) > _ABRIDGED_CHARACTERS:
        return f"{value[:_ABRIDGED_CHARACTERS]!r}... of {len(value)} characters"
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        return f"a number of {value.bit_length()} bits"
    return repr(value)
