"""Amounts of resources: those of a cluster, of a queue in it, and of an instance."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

MODELS = (
    "Ecs_4c16g",
    "Ecs_4c8g",
    "Ecs_8c16g",
    "Ecs_8c32g",
    "Ecs_16c64g",
    "Ecs_24c96g",
    "Ecs_32c128g",
    "Ecs_56c224g",
    "Ecs_64c256g",
)
"""The models in the documentation and its samples; a name gives the cores and the GB of memory."""

_SIZE = re.compile(r"Ecs_([0-9]{1,6})c([0-9]{1,6})g")
MB_PER_GB = 1024
_VCORES_PER_CORE = 100


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
        """Whether this is more than another amount, in processors or in memory."""
        return self.v_core > other.v_core or self.mem > other.mem


def total(amounts: Iterable[Resource]) -> Resource:
    """Return the sum of the amounts."""
    return sum(amounts, Resource())


def capacity(model: str, count: int) -> Resource:
    """Return the resources that slaves of a model have for jobs.

    Each keeps one core and 4 GB for itself. Inferred: with this, the smallest cluster, two slaves of Ecs_4c16g, has the
    600 vcore and 24576 MB of the documented answer to GetClusterResource.
    """
    size = _SIZE.fullmatch(model)
    if size is None:
        return Resource()
    return amount(count * max(int(size[1]) - 1, 0), count * max(int(size[2]) - 4, 0))


def amount(cores: float, memory_gb: float) -> Resource:
    """Return an amount given in cores and GB."""
    return Resource(v_core=round(cores * _VCORES_PER_CORE), mem=round(memory_gb * MB_PER_GB))
