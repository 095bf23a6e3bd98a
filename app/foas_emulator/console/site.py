"""What every page is made from: the worlds, what is remembered of their calls, and the two APIs to call."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp

from foas_emulator.console.access import Access
from foas_emulator.console.calls import CONTROL, Answer, Call, perform, service_call
from foas_emulator.control.browsers import HostCheck
from foas_emulator.control.images import image_of_world
from foas_emulator.journal.journal import Journal
from foas_emulator.world.registry import Registry
from foas_emulator.world.world import World


@dataclass(frozen=True, slots=True)
class Step:
    """A clock that was moved on: to which instant in milliseconds, and the changes that this brought about."""

    now: int
    changes: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The emulator as the console sees it.

    `control` serves the control API without its guard, `service` the API as every client meets it, and `quiet` the
    same without journal, faults and cache: what a page shows is not one of the user's calls.
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
    """How many bytes a form may have, whose file may hold a whole world."""
    looked_at: dict[str, int] = field(default_factory=dict)
    """The last entry of each world's journal that somebody has looked at."""
    steps: dict[str, deque[Step]] = field(default_factory=dict)
    """The last times that the console moved each world's clock on."""
    derived: dict[tuple[str, str], tuple[object, Any]] = field(default_factory=dict)
    """What was worked out of a world's rows, by world and kind, with the revision it holds for."""

    def look_at(self, world_name: str, last: int) -> None:
        """Note up to which entry somebody has looked at a journal; worlds come and go, so the oldest is forgotten."""
        self.looked_at.pop(world_name, None)
        self.looked_at[world_name] = last
        if len(self.looked_at) > _MOST_LOOKED_AT:
            del self.looked_at[next(iter(self.looked_at))]

    async def call(self, call: Call, *, host: str) -> Answer:
        """Make a call of the control API or, as a user's, of the service's."""
        return await perform(self.control if call.target.startswith(CONTROL) else self.service, call, host=host)

    def note_step(self, world_name: str, advance: Any) -> None:
        """Remember what the control API answered to an advance."""
        if len(self.steps) > _MOST_DERIVED:
            self.steps.clear()
        step = Step(advance["now"], advance["changes"][:MOST_CHANGES])
        self.steps.setdefault(world_name, deque(maxlen=_MOST_STEPS)).appendleft(step)

    async def worked_out(self, world: World, kind: str, derive: Callable[[bytes], Any]) -> Any:
        """What `derive` makes of a world's image: outside the event loop, and again only when the world has changed."""
        revision, known = self.derived.get((world.name, kind), (None, None))
        if revision is not world.store.revision:
            revision = world.store.revision
            image = await image_of_world(world)
            known = await asyncio.to_thread(derive, image)
            if len(self.derived) > _MOST_DERIVED:
                self.derived.clear()
            self.derived[world.name, kind] = revision, known
        return known


MOST_CHANGES = 100
_MOST_DERIVED = 50
_MOST_LOOKED_AT = 2000
_MOST_STEPS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One page that is being made: what was asked for, by whom, and in which world."""

    site: Site
    world: World
    query: Mapping[str, str]
    base_url: str
    """Where programs reach the emulator, as the browser does."""

    @property
    def host(self) -> str:
        return self.base_url.partition("://")[2]

    async def read(self, target: str, *, method: str = "GET", form: Mapping[str, str] | None = None) -> Answer:
        """What the service would answer in the world. It leaves no entry in the journal."""
        call = service_call(method, target, world=self.world.name, form=form)
        await asyncio.sleep(0)  # a page makes many of these, and other requests come in between
        return await perform(self.site.quiet, call, host=self.host)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number of the query, not negative; the default if it is something else."""
        text = self.query.get(name, "")
        return int(text) if text.isdecimal() and len(text) < _LONGEST_NUMBER else default


_LONGEST_NUMBER = 16
