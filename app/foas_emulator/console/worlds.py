"""The page of all worlds: each with its calls, failures, pending changes and clock."""

from typing import Any

from foas_emulator.console import connecting, snippets
from foas_emulator.console.site import Site, View
from foas_emulator.seeds.names import BUILT_IN
from foas_emulator.world import pending

PAGE = 50


async def worlds_page(view: View) -> dict[str, Any]:
    """Return the context of the page: fifty worlds at a time, and the lines with which a program uses this one."""
    registry = view.site.registry
    registry.expire()
    names = registry.names()
    offset = view.offset(PAGE, len(names))
    return {
        "described": [describe(view.site, name) for name in names[offset : offset + PAGE]],
        "offset": offset,
        "size": PAGE,
        "has_more": len(names) > offset + PAGE,
        "total": len(names),
        "seeds": BUILT_IN,
        "access_key": snippets.access_key(view.world.name),
        "connecting": connecting.lines(view.base_url, view.world.name, is_strict=view.is_strict),
    }


def describe(site: Site, name: str) -> dict[str, Any]:
    """Return the description of one world; a closed world in a file is not opened for this."""
    world_journal = site.journal.world_journal(name)
    succeeded = sum(counters.count for exercised, counters in world_journal.usage.calls.items() if exercised[1] == "OK")
    described: dict[str, Any] = {
        "name": name,
        "access_key": snippets.access_key(name),
        "calls": world_journal.total,
        "failures": world_journal.usage.total - succeeded,
        "pending": None,
        "clock": None,
    }
    world = site.registry.peek(name)
    if world is not None:
        described["pending"] = 0 if world.next_due is None else pending.count(world.store)
        described["clock"] = {"now": world.now(), "mode": world.clock.mode, "offset": world.clock.offset_ms}
    return described
