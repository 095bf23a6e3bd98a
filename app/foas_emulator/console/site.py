"""The sources of every page: the worlds, their journals, and the two APIs to call."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp

from foas_emulator.console.access import Access
from foas_emulator.console.calls import CONTROL, Answer, Call, perform, service_call
from foas_emulator.console.overview import Overview
from foas_emulator.control.browsers import HostCheck
from foas_emulator.journal.journal import Journal
from foas_emulator.world.ids import LAST_COUNT
from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import StoreClosedError
from foas_emulator.world.world import World
from foas_emulator.world.world_cache import Slot


@dataclass(frozen=True, slots=True)
class Step:
    """One advance of a clock: the instant that it reached, in milliseconds, and the first changes that happened."""

    now: int
    total: int
    """The number of all changes that happened."""
    changes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The parts of the emulator that the console uses.

    `control` serves the control API without its guard, `service` the API as for every client, and `quiet` the same
    without journal, faults and cache, for calls by pages, which are not the user's.
    """

    registry: Registry
    journal: Journal
    control: ASGIApp
    service: ASGIApp
    quiet: ASGIApp
    settings: Mapping[str, Any]
    access: Access
    host_check: HostCheck
    max_document: int
    """The most bytes of a form, whose file may be a whole world."""
    looked_at: dict[str, int] = field(default_factory=dict)
    """The number of the last entry of each world's journal that was viewed."""
    overviews: dict[str, tuple[object, Overview]] = field(default_factory=dict)
    """Overviews of the worlds' rows, with the revision for which they are valid."""

    def look_at(self, world_name: str, last: int) -> None:
        """Record the last entry of a journal that was viewed; forget the oldest record if there are many."""
        self.looked_at.pop(world_name, None)
        self.looked_at[world_name] = last
        if len(self.looked_at) > _MOST_LOOKED_AT:
            del self.looked_at[next(iter(self.looked_at))]

    async def call(self, call: Call, *, host: str) -> Answer:
        """Make a call of the control API or, as the user's, of the service's API."""
        return await perform(self.control if call.target.startswith(CONTROL) else self.service, call, host=host)


MOST_CHANGES = 100
"""The most changes of an advance, and of what is pending, that are shown."""
MOST_KEPT = 50
"""The most worlds whose overviews are kept."""
_MOST_LOOKED_AT = 2000
_LONGEST_NUMBER = 20
_MOST_STEPS = 5
_reading = LoopLock()
LAST_STEPS: Slot[deque[Step]] = Slot(from_rows=False)
"""The last advances of a world's clock by the console, the latest first, since its contents were replaced."""


def advance_target(world_name: str) -> str:
    """Return the target of a call that advances a clock; its answer lists as many changes as are shown."""
    return f"{CONTROL}worlds/{world_name}/clock/advance?limit={MOST_CHANGES}"


def note_step(world: World, advance: Answer) -> None:
    """Record the control API's answer to an advance that `advance_target` was called for."""
    clock = advance.document()
    steps = world.cache.get(LAST_STEPS) or world.cache.put(LAST_STEPS, deque(maxlen=_MOST_STEPS))
    steps.appendleft(Step(clock["now"], clock["changes_total"], clock["changes"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The request for one page: its query, its world and the site."""

    site: Site
    world: World
    query: Mapping[str, str]
    base_url: str
    """As `base_url_of` has it."""

    @property
    def host(self) -> str:
        return self.base_url.partition("://")[2]

    @property
    def is_strict(self) -> bool:
        """Whether the world accepts signed calls alone."""
        return self.world.settings.signature == "strict"

    async def read(self, target: str, *, method: str = "GET", form: Mapping[str, str] | None = None) -> Answer:
        """Return the service's answer in the world, without leaving an entry in the journal.

        Raise `StoreClosedError` if the world has been dropped: the service would create it again.
        """
        call = service_call(method, target, world=self.world.name, form=form)
        async with _reading:  # two large answers in one turn of the event loop would hold it for twice as long
            await asyncio.sleep(0)  # a page makes many of these, and other requests come in between
            if self.site.registry.open_existing(self.world.name) is None:
                raise StoreClosedError("the world was dropped while its page was made")
            answer = await perform(self.site.quiet, call, host=self.host)
            await asyncio.sleep(0)  # to parse a large answer takes as long as to make it
            return answer

    def number(self, name: str) -> int:
        """Return a non-negative whole number in the query, 0 if it is something else."""
        text = self.query.get(name, "")
        number = int(text) if is_number(text) else 0
        return number if number <= LAST_COUNT else 0

    def offset(self, size: int, count: int) -> int:
        """Return the place of a page's first row, of the last page's if there are no longer so many rows."""
        return min(self.number("offset"), max(count - 1, 0)) // size * size


def is_number(text: str) -> bool:
    """Whether a text is a non-negative whole number that is short enough to be read."""
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER
