"""One difference between what was expected and what came: the type in which every failed comparison explains itself."""

from collections.abc import Mapping
from dataclasses import dataclass

_SHOWN_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """A field with what it should be and what it is; None is a field that is not there."""

    field: str
    expected: str | None
    actual: str | None


def compare(expected: Mapping[str, str], actual: Mapping[str, str]) -> list[Difference]:
    """The fields in which two mappings differ, in the order of the expected one, then what only the other has."""
    return [
        Difference(name, expected.get(name), actual.get(name))
        for name in {**expected, **actual}
        if expected.get(name) != actual.get(name)
    ]


def plain(text: str) -> str:
    """A text in one line of printable ASCII, escaped where needed and cut to 120 characters: fit for a header."""
    short = text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 3]}..."
    return short.encode("unicode_escape").decode("ascii")


def shown(text: str) -> str:
    """The same in quotes."""
    return f'"{plain(text)}"'
