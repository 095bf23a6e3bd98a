"""Whether a fault strikes a request, and what becomes of it then."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from foas_emulator.faults.effects import Call, Turn
from foas_emulator.faults.rules import PAST, ArmedRule, book_of
from foas_emulator.faults.wire import Severed
from foas_emulator.gateway.errors import UNAVAILABLE
from foas_emulator.gateway.exchange import Exchange
from foas_emulator.gateway.reply import Reply
from foas_emulator.pipeline.front import answer_to
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import Store
from foas_emulator.world.world import World


class InjectFaults:
    """Plays the rules that a request matches around its call, the one armed first outermost.

    Such a request is called from here, so that the read cache neither answers it nor keeps its answer.
    """

    def __init__(self, registry: Registry, call_operation: Callable[[Exchange], Awaitable[Reply]]) -> None:
        self._registry = registry
        self._call_operation = call_operation

    def __call__(self, exchange: Exchange) -> Awaitable[Reply] | None:
        book = book_of(exchange.world)
        if not book.rules:
            return None
        assert exchange.operation is not None
        rules = book.matching(exchange.operation, exchange.parameters)
        if rules or (book.lags and exchange.operation.writes):
            return self._play(exchange, rules)
        return None

    async def _play(self, exchange: Exchange, rules: Sequence[ArmedRule]) -> Reply:
        """The answer of a request that these rules strike. An error is an answer too: a rule may do something to it."""
        try:
            self._enter_again(exchange)
            if not rules:
                return await self._call(exchange)
            return await self._strike(exchange, rules[0], partial(self._play, exchange, rules[1:]))
        except Exception as error:  # noqa: BLE001 - as in the front
            return answer_to(error, exchange)

    def _enter_again(self, exchange: Exchange) -> None:
        """Find the world as it has become while a rule held the request back."""
        world = exchange.world = self._registry.find(exchange.world_name)
        if world is None:
            raise UNAVAILABLE(f"World {exchange.world_name} was dropped while a fault rule held this call back.")
        world.settle()

    async def _strike(self, exchange: Exchange, rule: ArmedRule, call: Call) -> Reply:
        answered = await call() if rule.at == "after_commit" else None
        if answered is not None and (answered.code is not None or isinstance(answered, Severed)):
            return answered
        hit = rule.strike(exchange.world)
        if hit is None:
            return await call() if answered is None else answered
        exchange.faults = (*exchange.faults, rule)
        turn = Turn(
            exchange=exchange,
            call=call,
            call_as_before=partial(self._call_as_before, exchange, call),
            answered=answered,
            hint=_hint(rule, exchange),
            chance=hit.chance,
            wait_ms=hit.wait_ms,
        )
        return await rule.effect.play(turn)

    async def _call(self, exchange: Exchange) -> Reply:
        before = self._image_before(exchange)
        reply = await self._call_operation(exchange)
        if before is not None:
            exchange.world.derived[PAST] = before
        return reply

    def _image_before(self, exchange: Exchange) -> bytes | None:
        assert exchange.operation is not None
        world: World = exchange.world
        return world.store.image() if exchange.operation.writes and book_of(world).lags else None

    async def _call_as_before(self, exchange: Exchange, call: Call) -> Reply:
        """Call in a copy of the world as it was before the last call that changed it."""
        world: World = exchange.world
        image = world.derived.get(PAST)
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
            exchange.world = past
            return await self._call_operation(exchange)
        finally:
            exchange.world = world
            past.close()


def _hint(rule: ArmedRule, exchange: Exchange) -> str:
    path = f"/_emulator/worlds/{exchange.world_name}/faults/{rule.id}"
    return f"The fault rule {rule.id} of world {exchange.world_name} makes this answer; DELETE {path} disarms it."
