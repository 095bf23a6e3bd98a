"""List, create, replace, reset and drop worlds."""

import json
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from foas_emulator.control.answers import WorldIdentity, WorldNames, Worlds, answers
from foas_emulator.control.documents import ANY_OBJECT, described_body, is_yaml, parse_document, read_body
from foas_emulator.control.errors import ControlError, no_world
from foas_emulator.control.images import has_left, image_of_snapshot, one_large_at_a_time
from foas_emulator.control.off_loop import UNKNOWN, off_loop
from foas_emulator.control.paths import WorldName
from foas_emulator.control.resetting import reset, reset_all
from foas_emulator.control.staging import staged_image
from foas_emulator.seeds.image import image_for
from foas_emulator.seeds.limits import quoted, weight
from foas_emulator.seeds.loading import Document
from foas_emulator.seeds.names import BUILT_IN, MADE
from foas_emulator.seeds.reading import check_seed, read_seed
from foas_emulator.showing import nearest
from foas_emulator.world.advance import held, settle
from foas_emulator.world.clock import stopwatch
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.registry import Registry
from foas_emulator.world.slices import in_slices
from foas_emulator.world.store import StoreClosedError
from foas_emulator.world.world import World

_WORLD = "/worlds/{world}"
_BEGINNINGS = ("seed", "snapshot", "fork")
_BEGINNING_SCHEMA = {
    "type": "object",
    "properties": {
        "seed": {
            "description": "A seed document, or the name of a built-in one.",
            "oneOf": [dict(ANY_OBJECT), {"type": "string", "enum": [*BUILT_IN]}],
        },
        "snapshot": {**ANY_OBJECT, "description": "A snapshot, as GET .../snapshot returns it."},
        "fork": {"type": "string", "description": "The name of the world to copy."},
    },
    "maxProperties": 1,
}


def world_router(registry: Registry) -> APIRouter:
    """Return the routes of all worlds under `/worlds`, and of each."""
    router = APIRouter(tags=["worlds"])

    @router.get("/worlds", **answers(Worlds))
    async def list_worlds() -> Response:
        """Return all worlds, with the access key that selects each and the time since its last use."""
        registry.expire()
        shown = [json.dumps(_describe(registry, name)) async for name in in_slices(registry.names())]
        return Response(f'{{"worlds":[{",".join(shown)}]}}'.encode(), media_type="application/json")

    @router.post("/reset", **answers(WorldNames))
    async def reset_all_worlds() -> Response:
        """Return every world to what it was created from."""
        await reset_all(registry)
        return JSONResponse({"worlds": registry.names()})  # FastAPI would convert every name in it

    @router.put(
        _WORLD,
        openapi_extra=described_body(_BEGINNING_SCHEMA, empty={"seed": "empty"}, a_copy={"fork": "default"}),
        **answers(WorldIdentity, 200, 201),
    )
    async def put_world(name: WorldName, request: Request) -> Response:
        """Create a world, or replace it: from the default seed without a body, else as the body says."""
        body, as_yaml = await read_body(request), is_yaml(request)
        document = await off_loop(weight(body), lambda: parse_document(body, as_yaml=as_yaml))
        size = UNKNOWN if document.value == {"seed": MADE} else weight(body)
        status = await _put(registry, document, request, size=size)
        return Response() if status is None else JSONResponse(_identity(name), status)

    @router.delete(_WORLD, status_code=204)
    async def delete_world(name: WorldName) -> Response:
        """Drop a world. Its name is free again; the next request that uses it creates a new world."""
        if not registry.drop(name):
            raise no_world(name)
        return Response(status_code=204)

    @router.post(f"{_WORLD}/reset", **answers(WorldIdentity))
    async def reset_world(name: WorldName) -> dict[str, Any]:
        """Return a world to what it was created from; its journal starts over."""
        await reset(registry, name)
        return _identity(name)

    return router


def _identity(name: str) -> dict[str, Any]:
    return {"name": name, "access_key_id": f"world-{name}"}


def _describe(registry: Registry, name: str) -> dict[str, Any]:
    world = registry.peek(name)
    idle = None if world is None else (stopwatch() - world.last_used) // 1_000_000
    return {**_identity(name), "open": world is not None, "idle_ms": idle}


async def _put(registry: Registry, document: Document, request: Request, *, size: int) -> int | None:
    """Create or replace a world as a body of this size says; return the status, None if the client has left."""
    name = request.path_params["world"]
    async with one_large_at_a_time(size):
        if await has_left(request, size):
            return None
        image = await off_loop(size, lambda: _image(registry, document))
        if not isinstance(image, _Fork):
            return await _begin(registry, name, image)
    source = _source(registry, image.name)  # opened first: what is closed has no size
    async with one_large_at_a_time(source.store.size, source):
        if await has_left(request, source.store.size):
            return None
        await settle(source)
        # What is written meanwhile to a world that is copied onto itself would be lost.
        async with held(source) if source.name == name else nullcontext():
            beginning = source.beginning
            taken = await image_of_world(source)
            return await _begin(registry, name, taken, only_after=beginning if source.name == name else None)


async def _begin(registry: Registry, name: str, image: bytes | None, *, only_after: object = None) -> int:
    """Create or replace a world by an image; if `only_after` is given, only one with this beginning."""
    async with staged_image(image, registry, name=name, with_origin=True) as staged:
        if only_after is not None and getattr(registry.peek(name), "beginning", None) is not only_after:
            raise StoreClosedError("the world was replaced or reset while it was copied")
        status = 200 if registry.exists(name) else 201
        registry.create_or_replace(name, image, staged)
    return status


def _image(registry: Registry, document: Document) -> "bytes | _Fork | None":
    """Return the image that a body defines, the world to copy, or None for the default image.

    Raise `ControlError`, `SeedError` or `SnapshotError`.
    """
    body = document.value
    if body is None or body == {}:
        return None
    if not isinstance(body, dict) or len(body) != 1 or not body.keys() <= set(_BEGINNINGS):
        unknown = next((name for name in body if name not in _BEGINNINGS), None) if isinstance(body, dict) else None
        there_is_no = "" if unknown is None else f" It has no member {quoted(unknown)}{nearest(unknown, _BEGINNINGS)}."
        raise ControlError(
            400,
            f"The body does not say what to create the world from.{there_is_no}",
            f"Give one of {', '.join(_BEGINNINGS)}.",
        )
    ((kind, value),) = body.items()
    if kind == "snapshot":
        return image_of_snapshot(value, registry)
    return _Fork(value) if kind == "fork" else _seeded(registry, document)


@dataclass(frozen=True)
class _Fork:
    """The name of a world to copy; only the event loop may access worlds."""

    name: Any


def _source(registry: Registry, name: Any) -> World:
    """Return the world to copy, after opening it if it is closed."""
    source = registry.open_existing(name) if isinstance(name, str) else None
    if source is None:
        named = "of this name" if isinstance(name, list | dict) else repr(name)  # they may be large
        raise ControlError(404, f"There is no world {named} to fork.", "GET /_emulator/worlds lists the worlds.")
    return source


def _seeded(registry: Registry, body: Document) -> bytes:
    seed = body.value["seed"]
    if isinstance(seed, str):
        # Names only: a path would let a caller read any file of the server's machine.
        if seed not in BUILT_IN:
            raise ControlError(
                400,
                f"There is no seed {quoted(seed)}{nearest(seed, BUILT_IN)}.",
                f"Give a document, or one of {', '.join(BUILT_IN)}.",
            )
        document = read_seed(seed)
    else:
        document = check_seed(body, "seed", within=("seed",), clusters=())
    return image_for(registry, [document])
