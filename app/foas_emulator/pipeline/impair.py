"""What the settings `latency` and `error_rate` do to every call of a world."""

import asyncio
from collections.abc import Awaitable

from foas_emulator.gateway.context import RequestContext
from foas_emulator.gateway.errors import THROTTLED_USER, UNAVAILABLE
from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.world.durations import rate_text
from foas_emulator.world.ids import fraction
from foas_emulator.world.registry import Registry
from foas_emulator.world.settings import WorldSettings

_CALLS, _ERRORS = "impair.calls", "impair.errors"
_IN_TURN = (THROTTLED_USER, UNAVAILABLE)


class Impair:
    """Holds every call of a world back for its latency, and has a share fail: throttled and unavailable in turn.

    Which calls fail, and how long each takes, follows from the world's seed and the number of the call.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __call__(self, context: RequestContext) -> Awaitable[GatewayResponse | None] | None:
        return self._impair(context) if context.settings.is_impaired else None

    async def _impair(self, context: RequestContext) -> None:
        world = context.world
        settings: WorldSettings = world.settings
        number = _next(world.cache, _CALLS)
        if settings.latency.longest:
            await asyncio.sleep(settings.latency.at(fraction(world.seed, "impair/latency", number)) / 1000)
            self._enter_again(context)
        if fraction(world.seed, "impair/error", number) < settings.error_rate:
            problem = _IN_TURN[(_next(world.cache, _ERRORS) - 1) % len(_IN_TURN)]
            share = rate_text(settings.error_rate)
            raise problem(
                f"The setting error_rate of world {context.world_name} makes {share} of its calls fail; set it to 0."
            )

    def _enter_again(self, context: RequestContext) -> None:
        """Find the world as it has become while the call was held back."""
        world = context.world = self._registry.find(context.world_name)
        if world is None:
            raise UNAVAILABLE(f"World {context.world_name} was dropped while its latency held this call back.")
        world.settle()


def _next(counts: dict[str, int], name: str) -> int:
    counts[name] = counts.get(name, 0) + 1
    return counts[name]
