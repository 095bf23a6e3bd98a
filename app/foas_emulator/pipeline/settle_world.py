"""Apply what is due in a world before an operation sees it."""

from collections.abc import Awaitable

from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.select_world import SelectWorld
from foas_emulator.world.advance import settle
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import StoreClosedError


class SettleWorld:
    """The stage that settles the world of a request, after all stages that may have to wait for the client.

    Many changes are settled in slices, between which other requests are served. A world that was dropped while the
    request's body was read, or while it was settled, is created again.
    """

    def __init__(self, registry: Registry, select_world: SelectWorld) -> None:
        self._registry = registry
        self._select_world = select_world

    def __call__(self, context: RequestContext) -> Awaitable[None] | None:
        world = context.world
        is_ready = not world.is_held and self._registry.holds(world) and world.is_settled
        return None if is_ready else self._settle(context)

    async def _settle(self, context: RequestContext) -> None:
        while True:
            if self._registry.peek(context.world_name) is None:
                await self._select_world.open_in_turn(context)
            else:
                self._select_world.open(context)
            try:
                await settle(context.world)
            except StoreClosedError:
                continue
            if self._registry.holds(context.world):
                return
