"""Apply the settings `latency` and `error_rate` to every call of a world."""

import asyncio
from collections.abc import Awaitable

from foas_emulator.gateway.errors import THROTTLED_USER, UNAVAILABLE
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.held_calls import HeldCalls
from foas_emulator.pipeline.select_world import enter_again
from foas_emulator.world.durations import rate_text
from foas_emulator.world.ids import fraction
from foas_emulator.world.registry import Registry
from foas_emulator.world.settings import WorldSettings

_CALLS = "impaired calls"
_ERRORS = "impaired calls that failed"
_IN_TURN = (THROTTLED_USER, UNAVAILABLE)


class Impair:
    """The stage that delays every call of a world and makes a share of them fail, throttled and unavailable in turn.

    The world's seed and the number of the call determine which calls fail and how long each one is delayed.
    """

    def __init__(self, registry: Registry, held: HeldCalls) -> None:
        self._registry = registry
        self._held = held

    def __call__(self, context: RequestContext) -> Awaitable[None] | None:
        return self._impair(context) if context.settings.is_impaired else None

    async def _impair(self, context: RequestContext) -> None:
        seed = context.world.seed
        settings: WorldSettings = context.world.settings
        number = _next(context.world.tallies, _CALLS)
        if settings.latency.longest:
            with self._held.holding(context):
                await asyncio.sleep(settings.latency.at(fraction(seed, "impair/latency", number)) / 1000)
            enter_again(context, self._registry, held_by="its latency")
        if fraction(seed, "impair/error", number) < settings.error_rate:
            problem = _IN_TURN[(_next(context.world.tallies, _ERRORS) - 1) % len(_IN_TURN)]
            share = rate_text(settings.error_rate)
            raise problem(
                f"The setting error_rate of world {context.world_name} makes {share} of its calls fail; set it to 0."
            )


def _next(tallies: dict[str, int], name: str) -> int:
    tallies[name] = tallies.get(name, 0) + 1
    return tallies[name]
