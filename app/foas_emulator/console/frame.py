"""The frame around every page: the world and its clock, numbers in the menu, the last calls."""

from typing import Any

from foas_emulator.console.calls import is_success
from foas_emulator.console.rows import Row, row_of
from foas_emulator.console.site import Site
from foas_emulator.faults.rules import rules_of
from foas_emulator.world import pending
from foas_emulator.world.world import World

LAST_CALLS = 5
MOST_WORLDS = 50
_MOST_REFUSED = 99
_LOOKED_THROUGH = 2000


def frame(site: Site, world: World) -> dict[str, Any]:
    """Return the context of the frame for a settled world."""
    names = site.registry.names()
    shown = names[:MOST_WORLDS]
    shown = shown if world.name in shown else [world.name, *shown]
    return {
        "world": world.name,
        "worlds": shown,
        "more_worlds": len(names) - len(shown),
        "clock": {"now": world.now(), "mode": world.clock.mode, "offset": world.clock.offset_ms},
        "next_due": world.next_due,
        "refused": refused(site, world.name),
        "armed": sum(rule.is_armed() for rule in rules_of(world)),
        "pending": pending.count(world.store),
        "last_calls": last_calls(site, world.name),
    }


def last_calls(site: Site, world_name: str) -> list[Row]:
    """Return the last few calls of a world, the latest first."""
    world_journal = site.journal.world_journal(world_name)
    return [row_of(number, entry) for number, entry in world_journal.last(LAST_CALLS)[::-1]]


def refused(site: Site, world_name: str) -> int:
    """Return the number of latest calls that failed since the journal was last viewed, at most 99."""
    world_journal = site.journal.world_journal(world_name)
    seen = site.looked_at.get(world_name, 0)
    seen = 0 if seen > world_journal.total else seen  # the journal was forgotten
    count = 0
    for number, entry in world_journal.last(_LOOKED_THROUGH)[::-1]:
        if number <= seen or count == _MOST_REFUSED:
            break
        count += not is_success(entry.call.status)
    return count
