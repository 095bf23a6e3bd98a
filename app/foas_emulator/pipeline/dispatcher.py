"""The ASGI application before FastAPI: walks the stages of the pipeline."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from foas_emulator.gateway.context import CONTEXT, RequestContext
from foas_emulator.gateway.errors import ApiError
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.responses import GatewayResponse, failure, internal_error
from foas_emulator.gateway.routes import OperationRoute

log = logging.getLogger(__name__)

Stage = Callable[[RequestContext], GatewayResponse | Awaitable[GatewayResponse | None] | None]
"""Looks at an context and answers it, or adds to it and passes it on (None). One that must wait is awaited."""

Close = Callable[[RequestContext, GatewayResponse], None]
"""Told of every context and its answer, once the answer is sent."""


class CallOperation:
    """The last stage: hands the context to the route of its operation. Routes are made when first needed."""

    def __init__(self) -> None:
        self._routes: dict[str, OperationRoute] = {}

    async def __call__(self, context: RequestContext) -> GatewayResponse:
        assert context.operation is not None
        route = self.route(context.operation)
        return await route.respond(Request(context.scope, context.receive))

    def route(self, operation: Operation) -> OperationRoute:
        """The route of an operation. Building one costs milliseconds, so only those that are called are built."""
        route = self._routes.get(operation.name)
        if route is None:
            route = self._routes[operation.name] = OperationRoute(operation)
        return route


class Dispatcher:
    """Answers the service's API by walking the stages; everything else it hands on."""

    def __init__(self, app: ASGIApp, *, stages: Sequence[Stage], close: Close, own_paths: tuple[str, ...]) -> None:
        self._app = app
        self._stages = stages
        self._close = close
        self._own_paths = own_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/" or scope["path"].startswith(self._own_paths):
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
        except Exception as error:  # noqa: BLE001 - whatever is raised becomes the gateway's answer
            reply = answer_to(error, context)
        assert reply is not None, "the last stage always answers"
        if context.warning is not None:
            reply = reply.with_header("x-emulator-warning", context.warning)
        await reply(scope, receive, send)
        self._close(context, reply)
        del scope[CONTEXT]  # they hold each other, and would wait for the garbage collector


def answer_to(error: Exception, context: RequestContext) -> GatewayResponse:
    """What a client is told of anything that was raised on the way of its request."""
    host = context.headers.get("host", "").partition(":")[0]
    if isinstance(error, ApiError):
        overrides = context.settings.error_overrides
        return failure(error, format_=context.format, host=host, overrides=overrides)
    log.error("request %s failed", context.request_id, exc_info=error)
    return internal_error(format_=context.format, host=host)
