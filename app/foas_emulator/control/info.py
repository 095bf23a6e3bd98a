"""What runs here: health, version, settings, operations."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from fastapi import APIRouter

from foas_emulator import __version__
from foas_emulator.operations.catalogue import OPERATIONS


class Budget(Protocol):
    """Something kept in memory: the bytes it takes, estimated, and the limit that a setting gives it."""

    @property
    def size(self) -> int: ...
    @property
    def limit(self) -> int: ...


def info_router(settings: Mapping[str, Any], budgets: Mapping[str, Budget]) -> APIRouter:
    """Health and information; `settings` are shown as they are, so secrets must be masked in them."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        """Answers as soon as the emulator serves requests."""
        return {"status": "ok"}

    @router.get("/info")
    async def get_info() -> dict[str, Any]:
        """The version, the settings in force, the operations by kind of evidence, and the memory within budgets.

        `memory` has for each setting that limits bytes how many are taken, estimated, and the limit.
        """
        evidence = Counter(operation.evidence.kind for operation in OPERATIONS)
        return {
            "version": __version__,
            "operations": {"count": len(OPERATIONS), "evidence": dict(sorted(evidence.items()))},
            "settings": dict(settings),
            "memory": {name: {"bytes": budget.size, "limit": budget.limit} for name, budget in budgets.items()},
        }

    return router
