"""Apply fault rules to requests."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Sequence
from contextlib import nullcontext, suppress
from functools import partial

from foas_emulator.faults.effects import Caller, Duplicate, Invocation, Latency
from foas_emulator.faults.rules import PREVIOUS_IMAGE, Application, ArmedRule, active_rules, takes_long
from foas_emulator.faults.wire import AbortedResponse
from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.pipeline.context import OperationCaller, RequestContext
from foas_emulator.pipeline.dispatcher import answer_to
from foas_emulator.pipeline.held_calls import HeldCalls
from foas_emulator.pipeline.select_world import enter_again
from foas_emulator.world.advance import settle
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.images import ImageBudgetError
from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.names import WorldLimitError
from foas_emulator.world.registry import Registry
from foas_emulator.world.slices import in_slices
from foas_emulator.world.store import LARGE, Store
from foas_emulator.world.world import World

log = logging.getLogger(__name__)

MOST_DUPLICATIONS = 15
"""The most times that one call is duplicated, as by four nested rules, each of which doubles the number."""
_IN_ONE_STACK = 50
"""Nested rules that are applied in one task; many more would exceed Python's recursion limit."""


class InjectFaults:
    """The stage that applies the matching rules around the call of a request, the one armed first outermost.

    It calls the operation of such a request itself, so that the read cache neither serves nor caches its response.
    """

    def __init__(self, registry: Registry, call_operation: OperationCaller, *, held: HeldCalls) -> None:
        self._registry = registry
        self._held = held
        self._call_operation = call_operation
        self._lock = LoopLock()
        """Held by a write while a thread takes the image of its large world: there is one such image at a time."""

    def __call__(self, context: RequestContext) -> Awaitable[GatewayResponse] | None:
        active = active_rules(context.world)
        if not active.rules:
            return None
        assert context.operation is not None
        concerning = active.concerning(context.operation)
        if takes_long(concerning, context.parameters):
            return self._apply_in_slices(context, concerning)
        rules = [rule for rule in concerning if rule.matches(context.parameters)]
        if rules or (active.needs_history and context.operation.writes):
            return self._apply_all(context, rules)
        return None

    async def _apply_in_slices(self, context: RequestContext, rules: Sequence[ArmedRule]) -> GatewayResponse:
        """Apply the rules that match; serve others meanwhile, since a glob may take milliseconds for a long text."""
        matching = [rule async for rule in in_slices(rules) if rule.matches(context.parameters)]
        return await self._apply_all(context, matching)

    async def _apply_all(self, context: RequestContext, rules: Sequence[ArmedRule]) -> GatewayResponse:
        is_delayed = any(isinstance(rule.effect, Latency) for rule in rules)
        with self._held.holding(context) if is_delayed else nullcontext():
            return await self._apply(context, rules, self._call)

    async def _apply(
        self, context: RequestContext, rules: Sequence[ArmedRule], operation: OperationCaller
    ) -> GatewayResponse:
        """Return the response under these rules. An error is a response too, so an outer rule may apply to it."""
        try:
            await self._enter_again(context)
            if not rules:
                return await operation(context)
            return await self._apply_one(context, rules, operation)
        except Exception as error:  # noqa: BLE001 - as in the dispatcher
            return answer_to(error, context)

    async def _enter_again(self, context: RequestContext) -> None:
        await settle(enter_again(context, self._registry, held_by="a fault rule"))

    def _inner(self, context: RequestContext, rules: Sequence[ArmedRule], operation: OperationCaller) -> Caller:
        """Return the call under all rules but the first."""
        call = partial(self._apply, context, rules[1:], operation)
        return partial(_on_own_stack, call) if len(rules) % _IN_ONE_STACK == 0 else call

    async def _apply_one(
        self, context: RequestContext, rules: Sequence[ArmedRule], operation: OperationCaller
    ) -> GatewayResponse:
        rule, call = rules[0], self._inner(context, rules, operation)
        response: GatewayResponse | None = None
        if rule.at == "after_commit":
            response = await call()
            has_failed = response.code is not None or isinstance(response, AbortedResponse)
            if has_failed or not self._has_world_after(context):
                return response
        application = _application(rule, context, took_effect=response is not None)
        if application is None:
            return await call() if response is None else response
        context.faults = (*context.faults, rule)
        invocation = Invocation(
            scope=context.scope,
            call=call,
            stale_read=self._inner(context, rules, self._read_stale),
            response=response,
            hint=_hint(rule, context),
            chance=application.chance,
            wait_ms=application.wait_ms,
        )
        assert context.operation is not None
        if response is None or context.operation.writes or not isinstance(rule.effect, Latency):
            return await rule.effect.apply(invocation)
        with self._held.holding_answer(response):  # of a read: a write must not be refused, and its answer is small
            return await rule.effect.apply(invocation)

    def _has_world_after(self, context: RequestContext) -> bool:
        """Whether the world in which a call took effect is there, after opening it if it was closed meanwhile."""
        if context.is_of_its_world and not self._registry.holds(context.world):
            with suppress(WorldFileError, WorldLimitError):
                world = self._registry.open_existing(context.world_name)
                context.world, context.beginning = world, world and world.beginning
        return context.is_of_its_world and self._registry.holds(context.world)

    async def _call(self, context: RequestContext) -> GatewayResponse:
        assert context.operation is not None
        world: World = context.world
        if not context.operation.writes or not active_rules(world).needs_history:
            return await self._call_operation(context)
        if world.store.size <= LARGE:
            return await self._call_after(context, world.store.image())
        async with self._lock:
            await self._enter_again(context)
            return await self._call_after(context, await self._image_beside(context))

    async def _image_beside(self, context: RequestContext) -> bytes | None:
        """Return the image of a large world while others are served; None if there could be no room to keep it."""
        world: World = context.world
        beginning = world.beginning
        if world.store.size > self._registry.images.limit:
            log.warning("world %s is larger than image_bytes: it has no previous image for stale reads", world.name)
            return None
        image = await image_of_world(world)
        await self._enter_again(context)
        return image if context.world.beginning is beginning else None

    async def _call_after(self, context: RequestContext, before: bytes | None) -> GatewayResponse:
        """Call the operation, and keep the image of the world before it if it succeeds."""
        response = await self._call_operation(context)
        if before is not None:
            self._keep_previous(context.world, before)
        return response

    def _keep_previous(self, world: World, image: bytes) -> None:
        world.cache.discard(PREVIOUS_IMAGE)
        try:
            world.cache.put(PREVIOUS_IMAGE, self._registry.images.keep(image))
        except ImageBudgetError as error:
            log.warning("world %s has no previous image for stale reads: %s", world.name, error)

    async def _read_stale(self, context: RequestContext) -> GatewayResponse:
        """Call the operation in a copy of the world as it was before the last call that changed it."""
        world: World = context.world
        previous = world.cache.get(PREVIOUS_IMAGE)
        if previous is None:
            return await self._call(context)
        beginning = world.beginning
        copy = self._registry.detached(world.name, Store(self._registry.connections, image=previous.content))
        try:
            await settle(copy)
            context.world = copy
            return await self._call_operation(context)
        finally:
            context.world, context.beginning = world, beginning
            copy.close()


async def _on_own_stack(call: Caller) -> GatewayResponse:
    """Make a call in a task of its own, which does not count for the recursion limit of its caller."""
    return await asyncio.ensure_future(call())


def _application(rule: ArmedRule, context: RequestContext, *, took_effect: bool) -> Application | None:
    """Count a call as `count_match` does. If that cannot be written, let a call pass that took effect: it succeeded.

    A call that was duplicated often enough passes without being counted.
    """
    duplications = sum(isinstance(each.effect, Duplicate) for each in context.faults)
    if isinstance(rule.effect, Duplicate) and duplications >= MOST_DUPLICATIONS:
        sentence = f"One call is duplicated {MOST_DUPLICATIONS} times at most; after that, rules let it pass."
        if sentence not in (context.warning or ""):
            context.warn([sentence])
        return None
    world: World = context.world
    try:
        return rule.count_match(world)
    except sqlite3.Error as error:
        if not took_effect:
            raise
        log.warning("rule %s of world %s let a call pass that it could not count: %s", rule.id, world.name, error)
        return None


def _hint(rule: ArmedRule, context: RequestContext) -> str:
    path = f"/_emulator/worlds/{context.world_name}/faults/{rule.id}"
    return f"The fault rule {rule.id} of world {context.world_name} caused this answer; DELETE {path} disarms it."
