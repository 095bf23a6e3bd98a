"""What runs here: health, version, settings, operations."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from foas_emulator import __version__
from foas_emulator.operations.catalogue import OPERATIONS


def info_router(settings: Mapping[str, Any]) -> APIRouter:
    """Health and information; `settings` are shown as they are, so secrets must be masked in them."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        """Answers as soon as the emulator serves requests."""
        return {"status": "ok"}

    @router.get("/info")
    async def get_info() -> dict[str, Any]:
        """The version, the settings in force, and how many operations are known from what kind of evidence."""
        evidence = Counter(operation.evidence.kind for operation in OPERATIONS)
        return {
            "version": __version__,
            "operations": {"count": len(OPERATIONS), "evidence": dict(sorted(evidence.items()))},
            "settings": dict(settings),
        }

    return router
