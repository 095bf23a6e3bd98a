"""Report failed comparisons as differences between expected and actual values."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """A field with its expected and its actual value; None means that the field is absent."""

    field: str
    expected: str | None
    actual: str | None

    @property
    def sentence(self) -> str:
        """What was expected, and what there is instead."""
        return f"{self.field}: expected {self.expected}, got {'nothing' if self.actual is None else self.actual}"


def compare(expected: Mapping[str, str], actual: Mapping[str, str]) -> list[Difference]:
    """Return the differences between two mappings: in the order of `expected`, then those that only `actual` has."""
    return [
        Difference(name, expected.get(name), actual.get(name))
        for name in {**expected, **actual}
        if expected.get(name) != actual.get(name)
    ]
