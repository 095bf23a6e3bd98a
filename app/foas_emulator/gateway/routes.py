"""The FastAPI route class of every operation: parameters in, call, answer out."""

from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute

from foas_emulator.gateway.context import CONTEXT, RequestContext
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import bind, declared_parameters, unread
from foas_emulator.gateway.responses import GatewayResponse, success


class OperationRoute(APIRoute):
    """Serves one operation from its declaration."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.declared = declared_parameters(operation.endpoint)
        self._names = frozenset(parameter.name for parameter in self.declared)
        super().__init__(
            operation.path,
            operation.endpoint,
            methods=[operation.method],
            name=operation.name,
            operation_id=operation.name,
            tags=[operation.group],
            response_model=get_type_hints(operation.endpoint)["return"],
        )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.respond

    async def respond(self, request: Request) -> GatewayResponse:
        """Call the endpoint with the request's parameters; one that writes runs inside a transaction."""
        context: RequestContext = request.scope[CONTEXT]
        context.unread = unread(context.parameters, self._names) if context.parameters.keys() - self._names else ()
        arguments = bind(self.declared, context.parameters)
        context.world.take_notes()  # those of changes that came due meanwhile are nobody's
        try:
            if self.operation.writes:
                with context.world.transaction():
                    return await self._call(context, arguments)
            return await self._call(context, arguments)
        finally:
            if notes := context.world.take_notes():
                context.warn(notes)

    async def _call(self, context: RequestContext, arguments: dict[str, Any]) -> GatewayResponse:
        """Rendered before the transaction ends: a write whose answer cannot be written has not happened."""
        answer = await self.operation.endpoint(context.world, **arguments)
        return success(self.operation.name, answer, context.format)
