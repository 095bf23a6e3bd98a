"""The page of the coverage of the service."""

from typing import Any

from foas_emulator.console.site import View
from foas_emulator.journal.coverage import report
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.operations.instances.lifecycle import STATES


async def coverage_page(view: View) -> dict[str, Any]:
    """Return the context of the coverage: of this world, or of the whole server since it started."""
    scope = "server" if view.query.get("scope") == "server" else "world"
    journal = view.site.journal
    usage = (await journal.usages())[0] if scope == "server" else journal.world_journal(view.world.name).usage
    found = report(usage, OPERATIONS, states=STATES)
    groups: dict[str, list[Any]] = {}
    for operation in OPERATIONS:
        groups.setdefault(operation.group, []).append((operation, found["operations"].get(operation.name)))
    return {"scope": scope, "report": found, "groups": groups, "states": STATES, "count": len(OPERATIONS)}
