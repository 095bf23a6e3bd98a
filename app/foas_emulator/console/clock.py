"""The page of a world's clock: its time, its pending changes, and a preview of moving it."""

from collections.abc import Mapping, Sequence
from typing import Any

from foas_emulator.console.calls import json_call
from foas_emulator.console.resources import jobs_of, next_changes, points
from foas_emulator.console.site import View
from foas_emulator.console.timeline import Point, brings, timeline
from foas_emulator.operations.instances.lifecycle import TRANSITIONS
from foas_emulator.world.world import World

MOST_SHOWN = 100
STEPS = ("30s", "5m", "1h")


async def time_page(view: View) -> dict[str, Any]:
    """Return the context of the page: the pending changes and, with `preview`, the changes of an advance."""
    world = view.world
    return {
        "timeline": timeline(points(world, 12), now=world.now()),
        "changes": next_changes(world, MOST_SHOWN),
        "points": points(world, MOST_SHOWN),
        "steps": STEPS,
        "preview": await preview(view),
        "last_steps": [
            (step.now, named(view.world, step.changes, step.states))
            for step in view.site.steps.get(view.world.name, ())
        ],
    }


def advance_of(text: str) -> dict[str, str]:
    """Return the body of an advance to `next`, to `idle`, or by an amount of time."""
    return {"until": text} if text in ("next", "idle") else {"by": text}


async def preview(view: View) -> dict[str, Any] | None:
    """Return the changes that an advance would make: the control API's answer to its dry run, or its error."""
    wanted = view.query.get("preview", "")[:40]
    if not wanted:
        return None
    target = f"/_emulator/worlds/{view.world.name}/clock/advance"
    answer = await view.site.call(json_call("POST", f"{target}?dry_run=true", advance_of(wanted)), host=view.host)
    shown: dict[str, Any] = {"wanted": wanted, "advance": json_call("POST", target, advance_of(wanted))}
    if answer.ok:
        document = answer.document()
        changes = named(view.world, document["changes"][:MOST_SHOWN], planned_states(view.world))
        return {**shown, "now": document["now"], "changes": changes, "problem": None}
    return {**shown, "problem": answer.problem()}


def planned_states(world: World) -> dict[tuple[int, str], str]:
    """Return the states that the next pending changes bring, each by its instant and what the control API calls it."""
    return {(change.at, change.what): brings(change) for change in next_changes(world, MOST_SHOWN)}


def named(world: World, changes: Sequence[Mapping[str, Any]], states: Mapping[tuple[int, str], str]) -> list[Point]:
    """Return changes with the names of their jobs, and with the states that they bring as far as these are known."""
    names = jobs_of(world, [int(key) for key in map(instance_of, changes) if key])
    found = []
    for change in changes:
        subject, _, event = change["what"].partition(" ")
        job = names.get(instance_of(change), "")
        state = states.get((change["at"], change["what"])) or next(iter(TRANSITIONS.get(event, {}).values()), "")
        found.append(Point(at=change["at"], label=f"{job or subject} {event}", event=event, job=job, state=state))
    return found


def instance_of(change: Mapping[str, Any]) -> str:
    """Return the id of the instance that a change concerns, "" if it concerns none."""
    kind, _, key = str(change["what"]).partition(" ")[0].partition(":")
    return key if kind == "instance" and key.isdecimal() else ""
