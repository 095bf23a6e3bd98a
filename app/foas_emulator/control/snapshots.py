"""Whole worlds as documents: seeds merged into them, snapshots taken and restored."""

from functools import lru_cache

from fastapi import APIRouter, Request, Response

from foas_emulator.control.documents import (
    ANY_OBJECT,
    YAML,
    described_body,
    is_yaml,
    parse_document,
    wants_yaml,
    yaml_response,
)
from foas_emulator.control.errors import ControlError, require_world
from foas_emulator.faults.rules import check_rules
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.reading import parse_seed
from foas_emulator.world.advance import settle
from foas_emulator.world.registry import Registry
from foas_emulator.world.snapshot import read_snapshot, take_snapshot, write_snapshot


def snapshot_router(registry: Registry) -> APIRouter:
    """What is done with whole worlds under `/worlds/{name}`."""
    router = APIRouter(prefix="/worlds/{name}")

    # A suite restores one snapshot before each of its tests; the last few are kept ready to be loaded.
    @lru_cache(maxsize=4)
    def image(body: bytes, *, as_yaml: bool) -> bytes:
        document = parse_document(body, as_yaml=as_yaml)
        return read_snapshot(document, connections=registry.connections, kinds=registry.handlers, check=check_rules)

    @router.get("/snapshot", responses={200: {"content": {"application/json": {}, YAML: {}}}})
    async def get_snapshot(name: str, request: Request) -> Response:
        """The whole world: rows, clock, pending changes, counters, settings and fault rules; YAML if Accept says so."""
        world = require_world(registry, name)
        await settle(world)
        document = take_snapshot(world)
        if wants_yaml(request):
            return yaml_response(document)
        return Response(write_snapshot(document), media_type="application/json")

    @router.put("/snapshot", status_code=204, openapi_extra=described_body(ANY_OBJECT))
    async def put_snapshot(name: str, request: Request) -> Response:
        """Make the world what the snapshot says, to the byte; it still resets to what it was created from."""
        restored = image(await request.body(), as_yaml=is_yaml(request))
        registry.open_or_create(name).load(restored)
        return Response(status_code=204)

    @router.post("/seed", status_code=204, openapi_extra=described_body(ANY_OBJECT))
    async def merge_seed(name: str, request: Request) -> Response:
        """Merge a seed document, all or nothing: a resource it names is replaced whole, everything else stays."""
        document = parse_seed(_text(await request.body()), "body")
        world = registry.open_or_create(name)
        await settle(world)
        apply(world, document)
        return Response(status_code=204)

    return router


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise ControlError(400, "The body is not UTF-8.", f"{error}.") from None
