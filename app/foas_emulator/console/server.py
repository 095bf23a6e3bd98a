"""The pages of the coverage, and of the settings of the world and the server."""

from typing import Any

from foas_emulator.console.site import View
from foas_emulator.journal.coverage import Usage, report
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.operations.instances.lifecycle import STATES
from foas_emulator.world.settings import CHOICES, NAMES, write_setting


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
        "server": view.site.settings,
        "seed": view.world.seed,
    }
