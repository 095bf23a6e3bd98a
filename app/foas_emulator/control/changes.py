"""Changes of a world as the control API shows them: what changes when, in which job, and the state that it brings."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from foas_emulator.operations.instances.lifecycle import brings
from foas_emulator.operations.instances.rows import jobs_of_instances
from foas_emulator.world import pending
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.world import Change, World


class ChangeShown(BaseModel):
    """A change that will happen, or has happened."""

    at: int = Field(description="Its time, in milliseconds since the epoch.")
    what: str = Field(description="The thing that changes, and the event.")
    job: str | None = Field(description="Project and job of the instance that changes; null if it is no instance.")
    state: str | None = Field(description="The state that it brings; null if it brings none, or one not known before.")


SLICE = 200
"""The most changes to show before other requests are served: a few milliseconds' work."""


async def show_pending(world: World) -> list[dict[str, Any]]:
    """Return all pending changes of a world as the control API shows them."""
    some = pending.planned(world.store, SLICE)
    shown = show_changes(world, some)
    while len(some) == SLICE:
        await asyncio.sleep(0)
        some = pending.planned(world.store, SLICE, after=some[-1])
        shown += show_changes(world, some)
    return shown


async def show_settled(world: World, changes: Sequence[Change]) -> list[dict[str, Any]]:
    """Return changes that have happened in a world as the control API shows them."""
    shown = show_changes(world, changes[:SLICE])
    for begin in range(SLICE, len(changes), SLICE):
        await asyncio.sleep(0)
        shown += show_changes(world, changes[begin : begin + SLICE])
    return shown


def show_changes(world: World, changes: Sequence[Change | PendingChange]) -> list[dict[str, Any]]:
    """Return changes of a world, pending or not, as the control API shows them."""
    parts = (change.subject.partition(":") for change in changes)
    subjects = {int(key): f"{kind}:{key}" for kind, _, key in parts if kind == "instance"}
    jobs = {subjects[instance]: job for instance, job in jobs_of_instances(world, [*subjects]).items()}
    return [
        {"at": change.at, "what": change.what, "job": jobs.get(change.subject), "state": _state(change)}
        for change in changes
    ]


def _state(change: Change | PendingChange) -> str | None:
    if isinstance(change, Change):
        return change.state
    return brings(change) if change.kind == "instance" else None
