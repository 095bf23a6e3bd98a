"""The pages of the coverage, and of the settings of the world and the server."""

from typing import Any

from foas_emulator.console.language import mark
from foas_emulator.console.site import View
from foas_emulator.journal.coverage import Usage, report
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.operations.instances.lifecycle import STATES
from foas_emulator.world.settings import CHOICES, NAMES, write_setting

MEANINGS = {
    "default_format": mark("Format of an answer whose client names none."),
    "not_running": mark("GetInstance for a job that is not running: fail as documented, or answer with its state."),
    "sql_check": mark("What refuses wrong SQL: only ValidateJob, or StartJob too, whose instance then ends FAILED."),
    "signature": mark("Signatures: off looks at none, warn serves and reports, strict refuses as the gateway does."),
    "start_delay": mark("From StartJob until the instance is RUNNING."),
    "pause_delay": mark("From a pause until the instance is PAUSED."),
    "stop_delay": mark("From a stop until the instance is TERMINATED."),
    "plan_delay": mark("From GetRawPlanJson until the plan is made."),
    "cluster_delay": mark("From a change of a cluster until it is RUNNING again."),
    "batch_duration": mark("From RUNNING until a batch instance is SUCCESS; without it, until its state is set."),
    "latency": mark("Time before every call takes effect, such as 200ms, or 100ms-400ms for one in between."),
    "error_rate": mark("Share of calls that fail, such as 5%: throttling and ServiceUnavailable in turn."),
}
"""What the settings of a world mean, as the command line says it."""


async def coverage_page(view: View) -> dict[str, Any]:
    """Return the context of the coverage: of this world, or of the whole server since it started."""
    scope = "server" if view.query.get("scope") == "server" else "world"
    usage = (await view.site.journal.usages())[0] if scope == "server" else usage_of(view)
    found = report(usage, OPERATIONS, states=STATES)
    groups: dict[str, list[Any]] = {}
    for operation in OPERATIONS:
        groups.setdefault(operation.group, []).append((operation, found["operations"].get(operation.name)))
    return {"scope": scope, "report": found, "groups": groups, "states": STATES, "count": len(OPERATIONS)}


def usage_of(view: View) -> Usage:
    """Return the usage of the world."""
    return view.site.journal.world_journal(view.world.name).usage


async def settings_page(view: View) -> dict[str, Any]:
    """Return the context of the settings: those of the world, to change, and those with which the server started."""
    shown = {name: write_setting(getattr(view.world.settings, name)) for name in NAMES}
    overrides = shown.pop("error_overrides")
    return {
        "own": shown,
        "given": view.world.given_settings,
        "overrides": overrides,
        "choices": CHOICES,
        "meanings": MEANINGS,
        "server": view.site.settings,
        "seed": view.world.seed,
    }
