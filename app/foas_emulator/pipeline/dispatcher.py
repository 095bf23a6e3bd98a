"""The ASGI application in front of FastAPI, which calls the stages of the pipeline."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.faults.wire import break_off
from foas_emulator.garbage import forget_frames
from foas_emulator.gateway.errors import MISSING, UNAVAILABLE, ApiError
from foas_emulator.gateway.large_answers import LargeAnswers
from foas_emulator.gateway.responses import GatewayResponse, failure, host_name, internal_error
from foas_emulator.pipeline.context import UNREADABLE, RequestContext
from foas_emulator.world.file_errors import file_error
from foas_emulator.world.names import WorldLimitError
from foas_emulator.world.shortage import refused_by_system
from foas_emulator.world.store import StoppedError, StoreClosedError

log = logging.getLogger(__name__)

_STOPPING = "The emulator is being stopped; ask again once it runs."

_RPC_PARAMETERS = frozenset({b"action", b"version", b"accesskeyid", b"signature", b"format"})
"""Parameters, in lower case, that distinguish a call in RPC style from a browser's request."""

Stage = Callable[[RequestContext], GatewayResponse | Awaitable[GatewayResponse | None] | None]
"""A function that returns a response for a request context, or adds to the context and returns None to pass it on."""

Observer = Callable[[RequestContext, GatewayResponse], None]
"""A function that is called with every request context and its response."""


class CallOperation:
    """The last stage, which lets FastAPI serve the request by the path operation of its operation.

    Notes that the operation leaves in the world become the warning of the response, even if that is an error.
    """

    def __init__(self, large: LargeAnswers | None = None) -> None:
        self._large = large or LargeAnswers()

    async def __call__(self, context: RequestContext) -> GatewayResponse:
        assert context.operation is not None
        scope = {**context.scope, "state": {**context.scope.get("state", {}), "call": context}}
        world = context.world
        context.beginning = world.beginning
        world.take_notes()  # discard the notes of changes that were due: they do not belong to this call
        try:
            await context.operation.route.serve(scope, context.receive, _send_nothing)
        finally:
            if notes := world.take_notes():
                context.warn(notes)
        response: GatewayResponse | None = context.response
        context.response = None
        assert response is not None, "a route that raises nothing has answered"
        if not context.operation.writes:  # a write that has happened must not be answered as if it had not
            self._large.require_room(response.content.size)
        return response


async def _send_nothing(_message: Message) -> None:
    raise AssertionError("a route hands its response over")


class Dispatcher:
    """An ASGI application that answers requests of the service's API by its stages and passes all others on."""

    def __init__(
        self, app: ASGIApp, *, stages: Sequence[Stage], log: Observer, close: Observer, own_paths: tuple[str, ...]
    ) -> None:
        """Call `log` before a response is sent, so that its client finds the log line, and `close` afterwards."""
        self._app = app
        self._stages = stages
        self._log = log
        self._close = close
        self._own_paths = own_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._is_for_own_pages(scope):
            await self._app(scope, receive, send)
            return
        context = RequestContext(scope, receive)
        reply: GatewayResponse | None = None
        try:
            for stage in self._stages:
                outcome = stage(context)
                if outcome is not None:
                    reply = outcome if isinstance(outcome, GatewayResponse) else await outcome
                    if reply is not None:
                        break
        except ClientDisconnect:
            return  # there is nobody to answer, and nothing has happened
        except asyncio.CancelledError:
            reply = answer_to(UNAVAILABLE(_STOPPING), context)
        except Exception as error:  # noqa: BLE001 - every exception becomes an answer of the gateway
            reply = answer_to(error, context)
        assert reply is not None, "the last stage always answers"
        if context.warning is not None:
            reply = reply.with_header("x-emulator-warning", context.warning)
        self._log(context, reply)
        try:
            await reply.send(context.request_id.encode(), receive, send)
        except asyncio.CancelledError:  # the server stops
            await break_off(scope, receive)
        self._close(context, reply)

    def _is_for_own_pages(self, scope: Scope) -> bool:
        path: str | None = scope["path"] if scope["type"] == "http" else None
        if path is None:
            return bool(scope["type"] != UNREADABLE)
        if path == "/":
            return asks_for_start_page(scope)
        return path.startswith(self._own_paths)


def asks_for_start_page(scope: Scope) -> bool:
    """Whether a request of `/` comes from a browser; an SDK that calls in RPC style must not get a page as success."""
    if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
        return False
    if any(name == b"authorization" or name.startswith(b"x-acs-") for name, _ in scope["headers"]):
        return False
    names = {pair.partition(b"=")[0].lower() for pair in scope["query_string"].split(b"&")}
    return names.isdisjoint(_RPC_PARAMETERS)


def answer_to(error: Exception, context: RequestContext) -> GatewayResponse:
    """Return the response for an exception that was raised while a request was handled, and forget its frames."""
    try:
        return _answer_to(error, context)
    except Exception as lack:
        if refused_by_system(lack) is None:
            raise
        context.format = "json"  # what writes XML is loaded for its first answer, and cannot be
        return _answer_to(lack, context)
    finally:
        forget_frames(error)


def _answer_to(error: Exception, context: RequestContext) -> GatewayResponse:
    host = host_name(context.headers.get("host", ""))
    trouble = file_error(error, context.world.store.path if context.has_world else None)
    if trouble is not None:
        if not trouble.is_full:  # the line of the call says all, and all calls that write meet it
            log.error("request %s failed: %s", context.request_id, trouble)
        error = UNAVAILABLE(trouble.hint)
    if isinstance(error, StoreClosedError):
        ended = f"World {context.world_name} was dropped, reset or replaced meanwhile; ask again."
        error = UNAVAILABLE(_STOPPING if isinstance(error, StoppedError) else ended)
    if isinstance(error, WorldLimitError):  # it was closed while the call was held back, and others took its place
        error = UNAVAILABLE(str(error))
    if (refused := refused_by_system(error)) is not None:
        error = UNAVAILABLE(refused)
    if isinstance(error, ApiError):
        if error.problem is MISSING and context.body_note is not None:
            error.hint = f"{error.hint} {context.body_note}"
        if (name := _unset_name(context)) is not None:
            error.hint = f"{error.hint} The path has [{name}] where a value belongs: the request does not set {name}."
        overrides = context.settings.error_overrides
        return failure(error, format_=context.format, host=host, overrides=overrides)
    log.error("request %s failed", context.request_id, exc_info=error)
    return internal_error(format_=context.format, host=host)


def _unset_name(context: RequestContext) -> str | None:
    """Return the first path parameter whose value is its own name in brackets, which SDKs send if it is not set."""
    if context.operation is None:
        return None
    names = (segment[1:-1] for segment in context.operation.segments if segment.startswith("{"))
    return next((name for name in names if context.parameters.get(name) == f"[{name}]"), None)
