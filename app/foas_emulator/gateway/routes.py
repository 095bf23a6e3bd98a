"""The FastAPI route class of every operation: the gateway's parameters in, the gateway's formats out."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any, Protocol, get_type_hints

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from foas_emulator.gateway.formats import ApiResponse, Format
from foas_emulator.gateway.parameters import parameter_error, read_text, remarks, unread
from foas_emulator.gateway.responses import GatewayResponse, success


class Transactional(Protocol):
    """The part of a world that the gateway uses."""

    def transaction(self) -> AbstractContextManager[None]: ...


class Call(Protocol):
    """The part of the request context that a route uses, and the attribute that receives its response.

    The pipeline puts it into the request's state as `call`. `parameters` combines those of path, query and body.
    """

    format: Format
    unread: tuple[str, ...]
    response: GatewayResponse | None

    @property
    def parameters(self) -> Mapping[str, Any]: ...
    @property
    def world(self) -> Transactional: ...
    def warn(self, sentences: Iterable[str]) -> None: ...


class _Parameters(dict[str, Any]):
    """The parameters of a request, passed to FastAPI as a form, which it closes."""

    async def close(self) -> None: ...


class GatewayRequest(Request):
    """A request in which path, query and form parameters are one set, no matter which part of it they came in."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self.call: Call = scope["state"]["call"]
        given = [(name, _as_in_a_form(value)) for name, value in self.call.parameters.items() if value is not None]
        self._parameters = _Parameters(given)

    @property
    def path_params(self) -> dict[str, Any]:
        return self._parameters

    @property
    def query_params(self) -> Mapping[str, Any]:  # type: ignore[override]
        return self._parameters

    @property
    def cookies(self) -> dict[str, str]:
        return {}  # no operation reads one

    async def form(self, **_limits: Any) -> _Parameters:  # type: ignore[override]
        return self._parameters


def _as_in_a_form(value: Any) -> Any:
    """Return a value of a JSON body as the text that a form would carry; leave lists and structures as they are."""
    return value if isinstance(value, str | list | dict) else read_text(value)


class _Answer(Response):
    """An operation's answer, wrapped in a response because FastAPI passes a response on unchanged.

    It sends nothing itself. The pipeline sends the rendered answer, after fault rules are applied to it.
    """

    def __init__(self, answer: ApiResponse) -> None:
        self.answer = answer
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class OperationRoute(APIRoute):
    """A path operation whose parameters may be in any part of the request, and whose answer the pipeline sends.

    FastAPI solves the dependencies, binds and validates the parameters and calls the endpoint.
    """

    writes = False

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        options["response_model"] = get_type_hints(endpoint)["return"]
        super().__init__(path, _answering(endpoint), **options)
        self.serve = AsyncExitStackMiddleware(self.app)
        taken = (*self.dependant.path_params, *self.dependant.query_params, *self.dependant.body_params)
        self._names = frozenset(field.alias for field in taken)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def respond(request: Request) -> Response:
            own = GatewayRequest(request.scope, request.receive)
            call = own.call
            call.unread = ()
            if call.parameters.keys() - self._names:
                call.unread = unread(call.parameters, self._names)
                call.warn(remarks(call.unread, self._names))
            with call.world.transaction() if self.writes else nullcontext():
                try:
                    answered = await handle(own)
                except RequestValidationError as error:
                    raise parameter_error(error) from None
                assert isinstance(answered, _Answer)
                call.response = success(self.name, answered.answer, call.format)
            return answered

        return respond


class WritingRoute(OperationRoute):
    """The path operation of an operation that writes: it and the rendering of its answer are one transaction."""

    writes = True


def _answering(endpoint: Callable[..., Coroutine[Any, Any, ApiResponse]]) -> Callable[..., Any]:
    @wraps(endpoint)
    async def call(**arguments: Any) -> _Answer:
        return _Answer(await endpoint(**arguments))

    return call
