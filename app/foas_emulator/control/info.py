"""What runs here: health, version, settings, operations."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fastapi import APIRouter, Request, Response

from foas_emulator import __version__
from foas_emulator.control.answers import Health, Information, answers
from foas_emulator.control.documents import ANY_OBJECT
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.seeds.published import published_schema

SCHEMA = "application/schema+json"


class Budget(Protocol):
    """Something kept in memory: the bytes it takes, estimated, and the limit that a setting gives it."""

    @property
    def size(self) -> int: ...
    @property
    def limit(self) -> int: ...


def info_router(settings: Mapping[str, Any], budgets: Mapping[str, Budget], addresses: Sequence[str] = ()) -> APIRouter:
    """Health and information; `settings` are shown as they are, so secrets must be masked in them.

    `addresses` are the URLs that the server listens at. Without them, as under a server that is not ours, the one that
    the request came to is shown.
    """
    router = APIRouter()

    @router.get("/health", **answers(Health))
    async def health() -> dict[str, str]:
        """Answers as soon as the emulator serves requests."""
        return {"status": "ok"}

    @router.get(
        "/seed.schema.json",
        response_class=Response,
        responses={200: {"content": {SCHEMA: {"schema": dict(ANY_OBJECT)}}}},
    )
    async def get_seed_schema() -> Response:
        """The JSON Schema of seed documents, for editors and for programs that write seeds."""
        return Response(published_schema(), media_type=SCHEMA)

    @router.get("/info", **answers(Information))
    async def get_info(request: Request) -> dict[str, Any]:
        """The version, where it listens, the settings in force, operations by kind of evidence, memory within budgets.

        `memory` has for each setting that limits bytes how many are taken, estimated, and the limit.
        """
        evidence = Counter(operation.evidence.kind for operation in OPERATIONS)
        return {
            "version": __version__,
            "listening": list(addresses) or _reached_at(request),
            "operations": {"count": len(OPERATIONS), "evidence": dict(sorted(evidence.items()))},
            "settings": dict(settings),
            "memory": {name: {"bytes": budget.size, "limit": budget.limit} for name, budget in budgets.items()},
        }

    return router


def _reached_at(request: Request) -> list[str]:
    """The URL of the socket that a request came to; none where it is no address, as with a Unix socket."""
    host, port = request.scope.get("server") or (None, None)
    if host is None or port is None:
        return []
    return [f"{request.url.scheme}://{f'[{host}]' if ':' in host else host}:{port}"]
