"""What is wrong with a seed document, and where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from foas_emulator.seeds.limits import Place, path_of
from foas_emulator.seeds.loading import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a seed document: where it stands, and what is wrong."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.path}: {self.message}"


class SeedError(Exception):
    """A seed document that cannot be used, with every fault in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = list(faults)


@dataclass(frozen=True)
class Origin:
    """The text that a seed document was read from; `within` is where in it the seed stands.

    Documents that say the same are equal wherever they come from.
    """

    file: str = field(default="seed", compare=False)
    document: Document | None = field(default=None, compare=False)
    within: Place = field(default=(), compare=False)

    def fault(self, place: Place, message: str) -> Fault:
        """Return a fault of a place in the seed."""
        line = 1 if self.document is None else self.document.line((*self.within, *place))
        return Fault(file=self.file, line=line, path=path_of(place), message=message)
