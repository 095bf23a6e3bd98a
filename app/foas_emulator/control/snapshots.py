"""Whole worlds as documents: merge seeds into them, take and restore snapshots."""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any

from fastapi import APIRouter, Request, Response

from foas_emulator.control.answers import Snapshot
from foas_emulator.control.documents import (
    ANY_OBJECT,
    YAML,
    decode,
    described_body,
    dump_yaml,
    is_yaml,
    parse_document,
    read_body,
    wants_yaml,
)
from foas_emulator.control.errors import require_world
from foas_emulator.control.images import has_left, image_of_snapshot, one_large_at_a_time
from foas_emulator.control.merging import clusters_there, merge
from foas_emulator.control.off_loop import off_loop
from foas_emulator.control.paths import WorldName
from foas_emulator.control.staging import load
from foas_emulator.gateway.large_answers import LargeAnswers
from foas_emulator.seeds.limits import weight
from foas_emulator.seeds.reading import parse_seed
from foas_emulator.world.advance import settle
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.registry import Registry
from foas_emulator.world.snapshot import VERSION, snapshot_of_image, write_snapshot

_LARGEST_KEPT = 256 * 1024
"""The size in bytes of the largest snapshot whose image is cached."""
_ROWS_AT_A_TIME = 100
"""Rows to write as YAML at a time; other threads get their turn in between."""


def snapshot_router(registry: Registry, large: LargeAnswers) -> APIRouter:
    """Return the routes of seeds and snapshots under `/worlds/{world}`."""
    router = APIRouter(prefix="/worlds/{world}", tags=["snapshots"])

    def image(body: bytes | bytearray, *, as_yaml: bool) -> bytes:
        return image_of_snapshot(parse_document(body, as_yaml=as_yaml).value, registry)

    # A test suite often restores one small snapshot before each test, so the images of the last few are cached.
    kept_image = lru_cache(maxsize=4)(image)

    def written(image: bytes, write: Callable[[Mapping[str, Any]], bytes]) -> bytes:
        with snapshot_of_image(image, connections=registry.connections) as document:
            return write(document)

    @router.get(
        "/snapshot",
        response_model=None,
        responses={200: {"model": Snapshot, "content": {YAML: {"schema": dict(ANY_OBJECT)}}}},
    )
    async def get_snapshot(name: WorldName, request: Request) -> Response:
        """Return the whole world: rows, clock, pending changes, counters, settings, fault rules; as YAML by Accept."""
        world = require_world(registry, name)
        await request.body()  # it is empty, and `has_left` works only after it was read
        write = _write_yaml if wants_yaml(request) else write_snapshot
        async with one_large_at_a_time(world.store.size, world):
            if await has_left(request, world.store.size):
                return Response()
            large.require_room(world.store.size)
            await settle(world)
            taken = await image_of_world(world)
            text = await off_loop(len(taken), lambda: written(taken, write))
        media_type = YAML if wants_yaml(request) else "application/json"
        return Response(text, media_type=media_type)

    @router.put("/snapshot", status_code=204, openapi_extra=described_body(ANY_OBJECT))
    async def put_snapshot(name: WorldName, request: Request) -> Response:
        """Replace the world by the one in the snapshot, to the byte; its origin, for resets, stays the same."""
        body, as_yaml = await read_body(request), is_yaml(request)
        size = weight(body)
        async with one_large_at_a_time(size):
            if await has_left(request, size):
                return Response()
            if len(body) <= _LARGEST_KEPT:
                restored = await off_loop(size, lambda: kept_image(bytes(body), as_yaml=as_yaml))
            else:
                restored = await off_loop(size, lambda: image(body, as_yaml=as_yaml))
            await load(registry, name, restored)
        return Response(status_code=204)

    @router.post("/seed", status_code=204, openapi_extra=described_body(ANY_OBJECT))
    async def merge_seed(name: WorldName, request: Request) -> Response:
        """Merge a seed document, all or nothing: resources that it names are replaced as a whole, all others stay."""
        body = await read_body(request)
        clusters = await clusters_there(registry, name)
        size = weight(body)
        document = await off_loop(size, lambda: parse_seed(decode(body), "body", clusters=clusters))
        await merge(registry, name, document, size=size)
        return Response(status_code=204)

    return router


def _write_yaml(document: Mapping[str, Any]) -> bytes:
    return b"".join([part.encode() for part in _yaml_parts(document)])


def _yaml_parts(document: Mapping[str, Any]) -> Iterator[str]:
    yield f"{VERSION}: {document[VERSION]}\ntables:\n"
    for name, rows in document["tables"].items():
        some = list(islice(rows, _ROWS_AT_A_TIME))
        yield f"  {name}:\n" if some else f"  {name}: []\n"
        while some:
            # Every line: one of a long text may consist of blanks that YAML takes for letters, such as U+3000.
            yield textwrap.indent(dump_yaml(some), "  ", lambda _: True)
            some = list(islice(rows, _ROWS_AT_A_TIME))
