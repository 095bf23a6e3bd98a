"""Information about the running emulator: health, version, settings, operations."""

from collections import Counter
from typing import Any

from fastapi import APIRouter, Request, Response

from foas_emulator import __version__
from foas_emulator.control.answers import Health, Information, answers
from foas_emulator.control.documents import ANY_OBJECT
from foas_emulator.control.server_info import ServerInfo
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.seeds.published import published_schema

SCHEMA = "application/schema+json"


def info_router(server: ServerInfo) -> APIRouter:
    """Return the routes of health and information.

    Of a server whose addresses are not known, because it is not ours, the URL is shown to which the request came.
    """
    router = APIRouter(tags=["info"])

    @router.get("/health", **answers(Health))
    async def health() -> dict[str, str]:
        """Answer as soon as the emulator serves requests."""
        return {"status": "ok"}

    @router.get(
        "/seed.schema.json",
        response_class=Response,
        responses={200: {"content": {SCHEMA: {"schema": dict(ANY_OBJECT)}}}},
    )
    async def get_seed_schema() -> Response:
        """Return the JSON Schema of seed documents, for editors and for programs that write seeds."""
        return Response(published_schema(), media_type=SCHEMA)

    @router.get("/info", **answers(Information))
    async def get_info(request: Request) -> dict[str, Any]:
        """Return the version, URLs, settings in force, operations by kind of evidence, and use of memory.

        `memory` gives the estimated bytes in use and the limit for each setting that limits bytes.
        """
        evidence = Counter(operation.evidence.kind for operation in OPERATIONS)
        return {
            "version": __version__,
            "listening": list(server.addresses) or _reached_at(request),
            "operations": {"count": len(OPERATIONS), "evidence": dict(sorted(evidence.items()))},
            "settings": dict(server.settings),
            "memory": {name: {"bytes": budget.size, "limit": budget.limit} for name, budget in server.budgets.items()},
        }

    return router


def _reached_at(request: Request) -> list[str]:
    """Return the URL of the socket to which a request came; an empty list if it has no port, as a Unix socket."""
    host, port = request.scope.get("server") or (None, None)
    if host is None or port is None:
        return []
    return [f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}:{port}"]
