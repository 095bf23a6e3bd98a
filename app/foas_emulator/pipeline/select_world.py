"""Find the world to which a request belongs."""

import asyncio
from collections.abc import Awaitable

from foas_emulator.gateway.errors import INVALID_WORLD, UNAVAILABLE, ApiError
from foas_emulator.masking import masked
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.find_operation import choose_format
from foas_emulator.world.clock import stopwatch
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.names import DEFAULT, WorldLimitError, WorldNameError
from foas_emulator.world.registry import Registry
from foas_emulator.world.world import World

_KEY_PREFIX = "world-"


class SelectWorld:
    """The stage that opens the world named by `x-emulator-world`, else by the access key, else the default one.

    The world is created on first use. If signatures are strict, only a request with a right signature creates one:
    `Authenticate` does so then.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._turns = LoopLock()

    def __call__(self, context: RequestContext) -> Awaitable[None] | None:
        name = context.headers.get("x-emulator-world") or world_of_key(context.headers.get("authorization"))
        context.world_name = name
        context.settings = self._registry.defaults
        world = self._registry.peek(name)
        if world is not None:
            world.last_used = stopwatch()
            enter(context, world)
            return None
        try:
            exists = self._registry.exists(name)
        except WorldNameError as error:
            raise self._refusal(context, error) from None
        if exists or context.settings.signature != "strict":
            return self.open_in_turn(context)
        context.request_id = self._registry.next_request_id()
        return None

    async def open_in_turn(self, context: RequestContext) -> None:
        """Open or create a world as `open` does, one in each turn of the loop: in files, each takes many milliseconds.

        Requests for open worlds are served in between, even if hundreds for others arrive at once.
        """
        try:
            async with self._turns:
                self.open(context)
                await asyncio.sleep(0)
        except asyncio.CancelledError:  # the server stops
            self._prepare_refusal(context)
            raise

    def open(self, context: RequestContext) -> None:
        """Open the world that a request names, or create it, and let the request enter it."""
        try:
            world = self._registry.open_or_create(context.world_name)
        except (WorldLimitError, WorldFileError) as error:
            raise self._refusal(context, error) from None
        enter(context, world)

    def _refusal(self, context: RequestContext, error: WorldNameError | WorldLimitError | WorldFileError) -> ApiError:
        self._prepare_refusal(context)
        if isinstance(error, WorldFileError):
            return UNAVAILABLE(error.hint)
        if isinstance(error, WorldLimitError):
            return UNAVAILABLE(str(error))
        context.world_name = ""  # the log would show it as it came
        return INVALID_WORLD(masked(str(error)))  # a key without a comma after it has the signature in it

    def _prepare_refusal(self, context: RequestContext) -> None:
        """Give a request without a world what its answer needs."""
        choose_format(context)
        context.request_id = context.request_id or self._registry.next_request_id()


def enter(context: RequestContext, world: World) -> None:
    """Let a request enter a world: apply the world's settings to it, and give it one of the world's request ids."""
    context.world = world
    context.settings = world.settings
    context.clock = context.clock or world.clock.reading
    context.request_id = context.request_id or world.next_request_id()


def enter_again(context: RequestContext, registry: Registry, *, held_by: str) -> World:
    """Return the world of a call that was held back, looked up again: it may have been dropped or closed meanwhile."""
    world = context.world = registry.open_existing(context.world_name)
    if world is None:
        raise UNAVAILABLE(f"World {context.world_name} was dropped while {held_by} held this call back.")
    return world


def world_of_key(authorization: str | None) -> str:
    """Return the world named by the access key `world-<name>` of an Authorization header, else the default world."""
    if authorization is None or _KEY_PREFIX not in authorization:
        return DEFAULT
    key = key_of(authorization)
    return key[len(_KEY_PREFIX) :] if key.startswith(_KEY_PREFIX) else DEFAULT


def key_of(authorization: str) -> str:
    """Return the access key id in an Authorization header of either form."""
    _, _, rest = authorization.partition(" ")
    key = rest.partition("Credential=")[2].partition(",")[0] if "Credential=" in rest else rest.partition(":")[0]
    return key.strip()


def shown_key(authorization: str) -> str:
    """Return the access key id of an Authorization header; "" if it has another form, since a secret may stand there.

    A client that confuses the service's API with the control API sends `Bearer TOKEN`.
    """
    kind, _, rest = authorization.partition(" ")
    is_signed = (kind == "acs" and ":" in rest) or (kind.startswith("ACS3-") and "Credential=" in rest)
    key = key_of(authorization) if is_signed else ""
    return "" if "=" in key else key  # without its commas, the signature follows the key
