"""Faults of seed documents, with their places."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from foas_emulator.seeds.limits import DocumentError, Place, cut, path_of
from foas_emulator.seeds.loading import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of a seed document: its place, and a message that says what is wrong.

    The path is empty if there is no document: the line means nothing then. The line is None where it is not known.
    """

    file: str
    line: int | None
    path: str
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", cut(self.message))

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        where = f"{self.file}{line}: {self.path}" if self.path else self.file
        return f"{where}: {self.message}"


class SeedError(Exception):
    """A seed document cannot be used; `faults` are all faults in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = list(faults)


def faults_of(error: DocumentError, file: str) -> list[Fault]:
    """Return the flaws of a text as faults of a file."""
    return [Fault(file=file, line=flaw.line, path=path_of(flaw.place), message=flaw.message) for flaw in error.flaws]


def unusable(file: str, message: str) -> SeedError:
    """Return the error for a file in which there is no document."""
    return SeedError([Fault(file=file, line=1, path="", message=message)])


@dataclass(frozen=True)
class Origin:
    """The text from which a seed document was read; `within` is the place of the seed in it.

    Documents with the same contents are equal even if they come from different files.
    """

    file: str = field(default="seed", compare=False)
    document: Document | None = field(default=None, compare=False)
    within: Place = field(default=(), compare=False)

    def fault(self, place: Place, message: str) -> Fault:
        """Return a fault at a place in the seed."""
        line = 1 if self.document is None else self.document.line((*self.within, *place))
        return Fault(file=self.file, line=line, path=path_of(place), message=message)
