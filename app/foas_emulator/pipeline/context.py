"""The context of one request, which the stages of the pipeline read and fill in."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from starlette.types import Receive, Scope

from foas_emulator.faults.rules import ArmedRule
from foas_emulator.gateway.authentication import AuthenticationFailure
from foas_emulator.gateway.errors import Override
from foas_emulator.gateway.formats import Format
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.journal.entries import EntryTemplate
from foas_emulator.world.clock import Reading
from foas_emulator.world.world import World

UNREADABLE = "foas_emulator.unreadable"
"""The type of a scope for a request that could not be parsed; also its key for the error to answer with."""


class Settings(Protocol):
    """The settings of a world that the gateway and the pipeline use."""

    @property
    def default_format(self) -> Format: ...
    @property
    def signature(self) -> str: ...
    @property
    def error_overrides(self) -> Mapping[str, Override]: ...
    @property
    def is_impaired(self) -> bool: ...


class RequestContext:
    """A request and the facts established about it so far. Each stage reads it and adds to it.

    `world` is unset until the request has entered one (`has_world`); a refused request may never enter one.
    """

    settings: Settings

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.raw_path: str = scope["raw_path"].decode("latin-1")
        self.query_string: str = scope["query_string"].decode("latin-1")
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.started = 0
        self.world_name = ""
        self._world: World | None = None
        self.beginning: object = None
        """The world's `beginning` when the operation was last called; None before its first call."""
        self.clock: Reading | None = None
        """The state of the world's clock when the request entered it, which may be moved while the call is held."""
        self.was_authenticated = False
        self.authentication_failure: AuthenticationFailure | None = None
        self.operation: Operation | None = None
        self.parameters: Mapping[str, Any] = {}
        self.body = b""
        self.body_note: str | None = None
        """The reason why the body may not have been read as its sender meant it."""
        self.format: Format = "json"
        self.request_id = ""
        self.warning: str | None = None
        self.unread: tuple[str, ...] = ()
        self.faults: tuple[ArmedRule, ...] = ()
        self.template: EntryTemplate | None = None
        self.response: GatewayResponse | None = None

    @property
    def has_world(self) -> bool:
        """Whether the request has entered a world."""
        return self._world is not None

    @property
    def is_of_its_world(self) -> bool:
        """Whether the world that the request has entered still is the one in which its operation was called."""
        world = self._world
        return world is not None and (self.beginning is None or self.beginning is world.beginning)

    @property
    def world(self) -> World:
        """The world that the request has entered."""
        assert self._world is not None, "the stages from here on have a world"
        return self._world

    @world.setter
    def world(self, world: World | None) -> None:
        self._world = world

    def warn(self, sentences: Iterable[str]) -> None:
        """Add sentences to the warning in the response's header and the journal entry."""
        self.warning = " ".join([*([] if self.warning is None else [self.warning]), *sentences]) or None


OperationCaller = Callable[[RequestContext], Awaitable[GatewayResponse]]
"""A function that calls the operation of a request and returns its response."""
