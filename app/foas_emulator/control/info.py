"""What runs here: health, version, settings, operations."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from foas_emulator import __version__
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.seeds.published import published_schema

SCHEMA = "application/schema+json"


def info_router(settings: Mapping[str, Any]) -> APIRouter:
    """Health and information; `settings` are shown as they are, so secrets must be masked in them."""
    router = APIRouter()

    @router.get("/health")
    async def health() -> dict[str, str]:
        """Answers as soon as the emulator serves requests."""
        return {"status": "ok"}

    @router.get("/seed.schema.json", response_class=Response, responses={200: {"content": {SCHEMA: {}}}})
    async def get_seed_schema() -> Response:
        """The JSON Schema of seed documents, for editors and for whoever writes seeds by program."""
        return Response(published_schema(), media_type=SCHEMA)

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
