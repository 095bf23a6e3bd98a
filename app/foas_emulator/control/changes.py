"""Changes of a world as the control API shows them: what changes when, in which job, and the state that it brings."""

import asyncio
import json
from collections.abc import Sequence
from itertools import chain
from typing import Any

from pydantic import BaseModel, Field

from foas_emulator.operations.instances.lifecycle import brings
from foas_emulator.operations.instances.rows import jobs_of_instances
from foas_emulator.world import pending
from foas_emulator.world.advance import held
from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.world import SettledChange, World


class ChangeShown(BaseModel):
    """A change that will happen, or has happened."""

    at: int = Field(description="Its time, in milliseconds since the epoch.")
    what: str = Field(description="The thing that changes, and the event.")
    job: str | None = Field(description="Project and job of the instance that changes; null if it is no instance.")
    state: str | None = Field(description="The state that it brings; null if it brings none, or one not known before.")


SLICE = 200
"""The most changes to write before other requests are served: a few milliseconds' work."""

_lock = LoopLock()


async def write_clock(world: World, *, limit: int | None = None) -> bytes:
    """Return the JSON members of a clock, its pending changes or the first of them, all of one instant.

    Many changes are written for one request after another. What changes meanwhile makes it begin again, and wait then.
    """
    if (limit is not None and limit <= SLICE) or pending.count(world.store) < SLICE:
        return await _write_clock(world, limit)
    async with _lock:
        before = world.contents
        written = await _write_clock(world, limit)
        if world.contents == before:
            return written
        async with held(world):
            return await _write_clock(world, limit)


async def _write_clock(world: World, limit: int | None) -> bytes:
    total = pending.count(world.store)
    clock = {
        "now": world.clock.now(),
        "mode": world.clock.mode,
        "offset_ms": world.clock.offset_ms,
        "pending_total": total,
    }
    rest = total if limit is None else min(total, limit)
    some = pending.planned(world.store, min(rest, SLICE))
    written = [_written(world, some)]
    while some and (rest := rest - len(some)) > 0:
        await asyncio.sleep(0)
        some = pending.planned(world.store, min(rest, SLICE), after=some[-1])
        written.append(_written(world, some))
    return _array(json.dumps(clock)[1:-1].encode() + b', "pending": ', written)


async def write_settled(world: World, changes: Sequence[SettledChange], *, limit: int | None = None) -> bytes:
    """Return the JSON members of changes that have happened in a world: their number, and all or the first of them."""
    total, changes = len(changes), changes[:limit]
    written = [_written(world, changes[:SLICE])]
    for begin in range(SLICE, len(changes), SLICE):
        await asyncio.sleep(0)
        written.append(_written(world, changes[begin : begin + SLICE]))
    return _array(b'"changes_total": %d, "changes": ' % total, written)


def _written(world: World, changes: Sequence[SettledChange | PendingChange]) -> bytes:
    return json.dumps(show_changes(world, changes), ensure_ascii=False)[1:-1].encode()


def _array(name: bytes, written: Sequence[bytes]) -> bytes:
    """Return a member; its many parts are copied once, as each time takes milliseconds."""
    first, *others = [part for part in written if part] or [b""]
    return b"".join((name, b"[", first, *chain.from_iterable((b", ", part) for part in others), b"]"))


def show_changes(world: World, changes: Sequence[SettledChange | PendingChange]) -> list[dict[str, Any]]:
    """Return changes of a world, pending or not, as the control API shows them."""
    parts = (change.subject.partition(":") for change in changes)
    subjects = {int(key): f"{kind}:{key}" for kind, _, key in parts if kind == "instance"}
    jobs = {subjects[instance]: job for instance, job in jobs_of_instances(world, [*subjects]).items()}
    return [
        {"at": change.at, "what": change.what, "job": jobs.get(change.subject), "state": _state(change)}
        for change in changes
    ]


def _state(change: SettledChange | PendingChange) -> str | None:
    if isinstance(change, SettledChange):
        return change.state
    return brings(change) if change.kind == "instance" else None
