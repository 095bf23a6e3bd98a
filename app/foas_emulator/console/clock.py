"""The page of a world's clock: its time, its pending changes, and a preview of moving it."""

from typing import Any

from foas_emulator.console.calls import json_call
from foas_emulator.console.site import LAST_STEPS, MOST_CHANGES, View, advance_target
from foas_emulator.console.timeline import next_changes, next_points, point, timeline


async def time_page(view: View) -> dict[str, Any]:
    """Return the context of the page: the pending changes and, with `preview`, the changes of an advance."""
    world = view.world
    return {
        "timeline": timeline(next_points(world, 12), now=world.now()),
        "changes": next_changes(world, MOST_CHANGES),
        "points": next_points(world, MOST_CHANGES),
        "preview": await preview(view),
        "last_steps": [
            (step.now, [*map(point, step.changes)], step.total) for step in world.cache.get(LAST_STEPS) or ()
        ],
    }


def advance_of(text: str) -> dict[str, str]:
    """Return the body of an advance to `next`, to `idle`, or by an amount of time."""
    return {"until": text} if text in ("next", "idle") else {"by": text}


async def preview(view: View) -> dict[str, Any] | None:
    """Return the changes that an advance would make: the control API's answer to its dry run, or its error."""
    wanted = view.query.get("preview", "")
    if not wanted:
        return None
    target = advance_target(view.world.name)
    answer = await view.site.call(json_call("POST", f"{target}&dry_run=true", advance_of(wanted)), host=view.host)
    shown: dict[str, Any] = {"wanted": wanted, "advance": json_call("POST", target, advance_of(wanted))}
    if not answer.ok:
        return {**shown, "problem": answer.problem()}
    clock = answer.document()
    return {
        **shown,
        "problem": None,
        "now": clock["now"],
        "changes": [*map(point, clock["changes"])],
        "total": clock["changes_total"],
    }
