"""The clock of a world: read, set and advance it."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from foas_emulator.control.answers import Count
from foas_emulator.control.changes import ChangeShown, write_clock, write_settled
from foas_emulator.control.documents import DocumentRoute
from foas_emulator.control.errors import require_world
from foas_emulator.control.images import copy_of_world, one_large_at_a_time
from foas_emulator.control.paths import WorldName
from foas_emulator.gateway.large_answers import LargeAnswers
from foas_emulator.world.advance import advance_by, advance_to, advance_to_next, advance_until_idle, set_clock, settle
from foas_emulator.world.clock import Mode
from foas_emulator.world.durations import duration, whole_number
from foas_emulator.world.instants import LAST_INSTANT, instant
from foas_emulator.world.registry import Registry
from foas_emulator.world.world import SettledChange, World


def _written(description: str, *, example: str) -> WithJsonSchema:
    """Return the OpenAPI description of a time that is written as a number or as a text."""
    number = {"type": "integer", "format": "int64", "minimum": 0, "maximum": LAST_INSTANT}
    return WithJsonSchema({"anyOf": [number, {"type": "string"}], "description": description, "examples": [example]})


def _with_unit(text: str) -> int:
    """Return the milliseconds of a duration. Raise ValueError without a unit: a number beside it is milliseconds."""
    milliseconds = duration(text)
    if (number := text.strip())[-1].isdecimal():
        raise ValueError(f"{text!r} has no unit: give {number}s or {number}ms")
    return milliseconds


Milliseconds = Annotated[int, Field(ge=0, le=LAST_INSTANT)]
Instant = Annotated[
    Milliseconds,
    BeforeValidator(lambda value: instant(value) if isinstance(value, str) else value),
    Field(strict=True),
    _written("Milliseconds since the epoch, or ISO 8601: UTC unless it has a zone.", example="2026-01-01T00:00:00Z"),
]
_Amount = Annotated[
    Milliseconds,
    BeforeValidator(lambda value: _with_unit(value) if isinstance(value, str) else value),
    Field(strict=True),
    _written("Milliseconds, or a duration such as 30s.", example="30s"),
]

Limit = Annotated[
    int | None,
    Query(ge=1, le=1000, description="List so many changes of a kind, the first ones; without it, all are listed."),
    BeforeValidator(whole_number),
]


class ClockSetting(BaseModel):
    """A new mode and time of a clock; omitted members stay as they are."""

    model_config = ConfigDict(extra="forbid")

    mode: Mode | None = Field(default=None, description="Whether time passes (real) or stands still (frozen).")
    now: Instant | None = None


class Advance(BaseModel):
    """The distance to move: by an amount, to an instant, until the next pending change or until none is left."""

    model_config = ConfigDict(extra="forbid")

    by: _Amount | None = None
    to: Instant | None = None
    until: Literal["next", "idle"] | None = Field(
        default=None, description="next: the next pending change; idle: none is left."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> "Advance":
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError("give one of by, to and until")
        return self


class ClockShown(BaseModel):
    """A world's time in milliseconds since the epoch, and its pending changes."""

    now: int = Field(description="The world's time.")
    mode: Mode = Field(description="Whether time passes (real) or stands still (frozen).")
    offset_ms: int = Field(description="Milliseconds by which it is ahead of the machine's.")
    pending_total: Count = Field(description="Number of all pending changes.")
    pending: list[ChangeShown] = Field(description="The pending changes, the next one first.")


class ClockMoved(ClockShown):
    """A world's time after the clock was moved, and the changes that happened, each at its own instant."""

    changes_total: Count = Field(description="Number of all changes that happened.")
    changes: list[ChangeShown] = Field(description="The changes that happened, in order.")


def clock_router(registry: Registry, large: LargeAnswers) -> APIRouter:
    """Return the routes of each world's clock under `/worlds/{world}/clock`."""
    router = APIRouter(prefix="/worlds/{world}/clock", route_class=DocumentRoute, tags=["clock"])

    @router.get("", response_model=ClockShown)
    async def get_clock(name: WorldName, limit: Limit = None) -> Response:
        """Return the time of a world, and its pending changes."""
        world = require_world(registry, name)
        with world.in_use():
            await settle(world)
            clock = await write_clock(world, limit=limit)
            large.require_room(len(clock))
            return _answer(clock)

    @router.put("", response_model=ClockMoved)
    async def put_clock(name: WorldName, setting: ClockSetting, limit: Limit = None) -> Response:
        """Freeze a clock, let it run, or set it. Changes that are due then happen; setting it back undoes nothing."""
        world = registry.open_or_create(name)
        with world.in_use():
            changes = await settle(world)
            changes += await set_clock(world, mode=setting.mode, now=setting.now)
            return await _moved(world, changes, limit)

    @router.post("/advance", response_model=ClockMoved)
    async def advance_clock(
        name: WorldName,
        advance: Annotated[Advance, Body(openapi_examples=_EXAMPLES)],
        *,
        dry_run: Annotated[bool, Query(description="Only report what would happen; the world stays as it is.")] = False,
        limit: Limit = None,
    ) -> Response:
        """Move a clock on; the answer lists the changes that happened."""
        if dry_run:
            world = require_world(registry, name)
            async with one_large_at_a_time(world.store.size, world), copy_of_world(world, registry) as copy:
                return await _advance(copy, advance, limit)
        return await _advance(registry.open_or_create(name), advance, limit)

    return router


async def _advance(world: World, advance: Advance, limit: int | None) -> Response:
    with world.in_use():
        changes = await settle(world)
        if advance.to is not None:
            changes += await advance_to(world, advance.to)
        elif advance.until is None:
            changes += await advance_by(world, advance.by or 0)
        else:
            changes += await (advance_to_next(world) if advance.until == "next" else advance_until_idle(world))
        return await _moved(world, changes, limit)


async def _moved(world: World, changes: Sequence[SettledChange], limit: int | None) -> Response:
    """Return the answer of a clock that has moved, which must not be refused for want of room."""
    return _answer(await write_clock(world, limit=limit), await write_settled(world, changes, limit=limit))


def _answer(*members: bytes) -> Response:
    """Return members that were written by the slice: FastAPI, models and even `dumps` are slow for many changes."""
    separated = [part for member in members for part in (b", ", member)][1:]
    return Response(b"".join((b"{", *separated, b"}")), media_type="application/json")


_EXAMPLES: Any = {
    "by half a minute": {"value": {"by": "30s"}},
    "to an instant": {"value": {"to": "2030-01-01T00:00:00Z"}},
    "to the next change": {"value": {"until": "next"}},
    "until nothing is pending": {"value": {"until": "idle"}},
}
