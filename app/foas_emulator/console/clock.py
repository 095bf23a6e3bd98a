"""The page of a world's clock: what it shows, what is going to happen, and what moving it would bring about."""

from typing import Any

from foas_emulator.console.calls import json_call
from foas_emulator.console.resources import next_changes, points
from foas_emulator.console.site import View
from foas_emulator.console.timeline import timeline

MOST_SHOWN = 100
STEPS = ("30s", "5m", "1h")


async def time_page(view: View) -> dict[str, Any]:
    """The clock, what is pending, and with `preview` what an advance would bring about."""
    world = view.world
    return {
        "timeline": timeline(points(world, 12), now=world.now()),
        "changes": next_changes(world, MOST_SHOWN),
        "names": {point.at: point.label for point in points(world, MOST_SHOWN)},
        "labels": [point.label for point in points(world, MOST_SHOWN)],
        "steps": STEPS,
        "preview": await preview(view),
    }


def advance_of(text: str) -> dict[str, str]:
    """What is asked of the control API for `next`, `idle`, or an amount of time."""
    return {"until": text} if text in ("next", "idle") else {"by": text}


async def preview(view: View) -> dict[str, Any] | None:
    """What an advance would bring about: the control API's answer to its dry run, or its refusal."""
    wanted = view.query.get("preview", "")[:40]
    if not wanted:
        return None
    target = f"/_emulator/worlds/{view.world.name}/clock/advance"
    answer = await view.site.call(json_call("POST", f"{target}?dry_run=true", advance_of(wanted)))
    shown: dict[str, Any] = {"wanted": wanted, "advance": json_call("POST", target, advance_of(wanted))}
    if answer.ok:
        document = answer.document()
        return {**shown, "now": document["now"], "changes": document["changes"][:MOST_SHOWN], "problem": None}
    return {**shown, "problem": answer.problem()}
