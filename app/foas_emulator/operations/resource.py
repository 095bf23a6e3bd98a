"""Amounts of what a cluster has to give, a queue takes of it, and an instance asks for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Processors and memory: 100 vcore are one core; `mem` is in MB."""

    v_core: int = 0
    mem: int = 0

    def __add__(self, other: "Resource") -> "Resource":
        return Resource(v_core=self.v_core + other.v_core, mem=self.mem + other.mem)

    def __sub__(self, other: "Resource") -> "Resource":
        return Resource(v_core=self.v_core - other.v_core, mem=self.mem - other.mem)

    def __str__(self) -> str:
        return f"{self.v_core} vcore and {self.mem} MB"

    def exceeds(self, other: "Resource") -> bool:
        """Whether there is more of this than of the other, in processors or in memory."""
        return self.v_core > other.v_core or self.mem > other.mem


def total(amounts: "list[Resource]") -> Resource:
    """Return the sum of the amounts."""
    return sum(amounts, Resource())
