"""Whether a fault strikes a request, and what becomes of it then."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from foas_emulator.faults.effects import Call, Invocation
from foas_emulator.faults.rules import PREVIOUS_IMAGE, ArmedRule, active_rules
from foas_emulator.faults.wire import AbortedResponse
from foas_emulator.gateway.errors import UNAVAILABLE
from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.dispatcher import answer_to
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import Store
from foas_emulator.world.world import World


class InjectFaults:
    """Plays the rules that a request matches around its call, the one armed first outermost.

    Such a request is called from here, so that the read cache neither answers it nor keeps its answer.
    """

    def __init__(
        self, registry: Registry, call_operation: Callable[[RequestContext], Awaitable[GatewayResponse]]
    ) -> None:
        self._registry = registry
        self._call_operation = call_operation

    def __call__(self, context: RequestContext) -> Awaitable[GatewayResponse] | None:
        book = active_rules(context.world)
        if not book.rules:
            return None
        assert context.operation is not None
        rules = book.matching(context.operation, context.parameters)
        if rules or (book.needs_history and context.operation.writes):
            return self._apply(context, rules)
        return None

    async def _apply(self, context: RequestContext, rules: Sequence[ArmedRule]) -> GatewayResponse:
        """The answer of a request that these rules strike. An error is an answer too: a rule may do something to it."""
        try:
            self._enter_again(context)
            if not rules:
                return await self._call(context)
            return await self._strike(context, rules[0], partial(self._apply, context, rules[1:]))
        except Exception as error:  # noqa: BLE001 - as in the front
            return answer_to(error, context)

    def _enter_again(self, context: RequestContext) -> None:
        """Find the world as it has become while a rule held the request back."""
        world = context.world = self._registry.find(context.world_name)
        if world is None:
            raise UNAVAILABLE(f"World {context.world_name} was dropped while a fault rule held this call back.")
        world.settle()

    async def _strike(self, context: RequestContext, rule: ArmedRule, call: Call) -> GatewayResponse:
        answered = await call() if rule.at == "after_commit" else None
        if answered is not None and (answered.code is not None or isinstance(answered, AbortedResponse)):
            return answered
        hit = rule.strike(context.world)
        if hit is None:
            return await call() if answered is None else answered
        context.faults = (*context.faults, rule)
        turn = Invocation(
            scope=context.scope,
            call=call,
            stale_read=partial(self._stale_read, context, call),
            answered=answered,
            hint=_hint(rule, context),
            chance=hit.chance,
            wait_ms=hit.wait_ms,
        )
        return await rule.effect.apply(turn)

    async def _call(self, context: RequestContext) -> GatewayResponse:
        before = self._image_before(context)
        reply = await self._call_operation(context)
        if before is not None:
            context.world.cache[PREVIOUS_IMAGE] = before
        return reply

    def _image_before(self, context: RequestContext) -> bytes | None:
        assert context.operation is not None
        world: World = context.world
        return world.store.image() if context.operation.writes and active_rules(world).needs_history else None

    async def _stale_read(self, context: RequestContext, call: Call) -> GatewayResponse:
        """Call in a copy of the world as it was before the last call that changed it."""
        world: World = context.world
        image = world.cache.get(PREVIOUS_IMAGE)
        if image is None:
            return await call()
        past = World(
            world.name,
            Store(self._registry.connections, image=image),
            defaults=self._registry.defaults,
            handlers=self._registry.handlers,
        )
        try:
            past.settle()
            context.world = past
            return await self._call_operation(context)
        finally:
            context.world = world
            past.close()


def _hint(rule: ArmedRule, context: RequestContext) -> str:
    path = f"/_emulator/worlds/{context.world_name}/faults/{rule.id}"
    return f"The fault rule {rule.id} of world {context.world_name} makes this answer; DELETE {path} disarms it."
