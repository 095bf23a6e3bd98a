"""One request on its way to its answer."""

from collections.abc import Mapping
from typing import Any, Protocol

from starlette.types import Receive, Scope

from foas_emulator.gateway.authentication import AuthenticationResult
from foas_emulator.gateway.errors import Override
from foas_emulator.gateway.formats import Format
from foas_emulator.gateway.operation import Operation

CONTEXT = "foas_emulator.exchange"
"""Where the scope of a request holds its exchange."""


class Settings(Protocol):
    """What the gateway and the pipeline ask of a world's settings."""

    @property
    def default_format(self) -> Format: ...
    @property
    def signature(self) -> str: ...
    @property
    def error_overrides(self) -> Mapping[str, Override]: ...
    @property
    def is_impaired(self) -> bool: ...


class RequestContext:
    """A request and what is known of it so far. Each stage of the pipeline reads and adds to it."""

    __slots__ = (
        "authentication",
        "body",
        "faults",
        "format",
        "headers",
        "method",
        "operation",
        "parameters",
        "query_string",
        "raw_path",
        "receive",
        "request_id",
        "scope",
        "settings",
        "started",
        "template",
        "unread",
        "warning",
        "world",
        "world_name",
    )

    settings: Settings

    def __init__(self, scope: Scope, receive: Receive) -> None:
        scope[CONTEXT] = self
        self.scope = scope
        self.receive = receive
        self.method: str = scope["method"]
        self.raw_path: str = scope["raw_path"].decode("latin-1")
        self.query_string: str = scope["query_string"].decode("latin-1")
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.started = 0
        self.world_name = ""
        self.world: Any = None
        self.authentication: AuthenticationResult | None = None
        self.operation: Operation | None = None
        self.parameters: Mapping[str, Any] = {}
        self.body = b""
        self.format: Format = "json"
        self.request_id = ""
        self.warning: str | None = None
        self.unread: tuple[str, ...] = ()
        self.faults: tuple[Any, ...] = ()
        self.template: Any = None
