"""The source of every behaviour: how we know that the service does the same."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["documented", "sample", "sdk", "inferred"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """The source of a behaviour: the service's documents, a sample answer, an official SDK, or our inference."""

    kind: Kind
    source: str = ""


DOCUMENTED = Evidence("documented")
SAMPLE = Evidence("sample")
INFERRED = Evidence("inferred")


def documented(source: str) -> Evidence:
    """Return the evidence for behaviour that the service's documents or metadata state."""
    return Evidence("documented", source)


def from_sdk(source: str) -> Evidence:
    """Return the evidence for behaviour that official client code contains or relies on."""
    return Evidence("sdk", source)


def inferred(source: str) -> Evidence:
    """Return the evidence for behaviour that we infer; `source` gives the reason."""
    return Evidence("inferred", source)
