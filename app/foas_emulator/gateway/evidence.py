"""How the emulator knows what it does."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["documented", "sample", "sdk", "inferred"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a behaviour comes from: the service's documents, a sample answer, an official SDK, or our inference."""

    kind: Kind
    source: str = ""


DOCUMENTED = Evidence("documented")
SAMPLE = Evidence("sample")
INFERRED = Evidence("inferred")


def documented(source: str) -> Evidence:
    """Stated in the service's documents or metadata."""
    return Evidence("documented", source)


def from_sdk(source: str) -> Evidence:
    """Read in, or observed of, official client code."""
    return Evidence("sdk", source)


def inferred(source: str) -> Evidence:
    """Our best reading; `source` gives the reason."""
    return Evidence("inferred", source)
