"""The ASGI application before FastAPI: walks the stages of the pipeline."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.gateway.errors import ApiError
from foas_emulator.gateway.responses import GatewayResponse, failure, internal_error
from foas_emulator.pipeline.context import RequestContext

log = logging.getLogger(__name__)

Stage = Callable[[RequestContext], GatewayResponse | Awaitable[GatewayResponse | None] | None]
"""Looks at an context and answers it, or adds to it and passes it on (None). One that must wait is awaited."""

Close = Callable[[RequestContext, GatewayResponse], None]
"""Told of every context and its answer, once the answer is sent."""


class CallOperation:
    """The last stage: has FastAPI serve the request by the path operation of its operation."""

    async def __call__(self, context: RequestContext) -> GatewayResponse:
        assert context.operation is not None
        scope = {**context.scope, "state": {**context.scope.get("state", {}), "call": context}}
        serve = AsyncExitStackMiddleware(context.operation.route.app)
        await serve(scope, context.receive, _send_nothing)
        response: GatewayResponse | None = context.response
        context.response = None
        assert response is not None, "a route that raises nothing has answered"
        return response


async def _send_nothing(_message: Message) -> None:
    raise AssertionError("a route hands its response over")


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
        await reply.send(context.request_id.encode(), receive, send)
        self._close(context, reply)


def answer_to(error: Exception, context: RequestContext) -> GatewayResponse:
    """What a client is told of anything that was raised on the way of its request."""
    host = context.headers.get("host", "").partition(":")[0]
    if isinstance(error, ApiError):
        overrides = context.settings.error_overrides
        return failure(error, format_=context.format, host=host, overrides=overrides)
    log.error("request %s failed", context.request_id, exc_info=error)
    return internal_error(format_=context.format, host=host)
