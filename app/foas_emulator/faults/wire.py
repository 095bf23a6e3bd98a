"""End a connection before its response is complete: the one place that bypasses ASGI and uses the transport."""

import asyncio
from dataclasses import dataclass, fields
from typing import Self

from starlette.types import Message, Receive, Scope, Send

from foas_emulator.gateway.errors import UNAVAILABLE
from foas_emulator.gateway.formats import Body
from foas_emulator.gateway.resets import reset_connection
from foas_emulator.gateway.responses import GatewayResponse, until_disconnected

TRANSPORT = "foas_emulator.transport"
"""The key in the `state` of a scope under which `serving/http_protocol.py` puts the transport of the connection."""

NEVER_SENT = 0
"""The status of a response of which the client got no byte."""


@dataclass(frozen=True, kw_only=True, eq=False)
class AbortedResponse(GatewayResponse):
    """A response of which the client gets at most a part before the connection ends."""

    transport: asyncio.Transport
    part: float = 0.0
    reset: bool = False

    @classmethod
    def unanswered(cls, scope: Scope, *, reset: bool) -> Self:
        """Return a response that sends nothing and closes the connection, or resets it."""
        transport = _transport(scope)
        return cls(status_code=NEVER_SENT, content=Body(b"", b""), content_type=b"", transport=transport, reset=reset)

    @classmethod
    def cut(cls, response: GatewayResponse, scope: Scope, *, part: float) -> Self:
        """Return a response that sends the head and a part of the body of another one, then closes the connection."""
        if isinstance(response, cls):
            return response
        members = {member.name: getattr(response, member.name) for member in fields(GatewayResponse)}
        return cls(**members, transport=_transport(scope), part=part)

    async def send(self, request_id: bytes, receive: Receive, send: Send) -> None:
        async def send_part(message: Message) -> None:
            if "body" in message:
                body = message["body"][: int(len(message["body"]) * self.part)]
                message = {**message, "body": body, "more_body": True}
            await send(message)

        if self.status_code != NEVER_SENT:
            await super().send(request_id, receive, send_part)
        self._end()
        # The server must notice the end before this returns; otherwise it would send a response of its own.
        await until_disconnected(receive)

    def _end(self) -> None:
        if self.reset:
            reset_connection(self.transport)
        else:
            self.transport.close()


async def break_off(scope: Scope, receive: Receive) -> None:
    """End the connection of a client that has read a part of its answer when the server stops and cancels its request.

    Raise `CancelledError` if there is no such connection, as on another server than the emulator's own.
    """
    transport = transport_of(scope)
    if transport is None:
        raise asyncio.CancelledError
    transport.abort()
    await until_disconnected(receive)  # or else the server would log that the answer has no end


def abort(scope: Scope) -> None:
    """End the connection of a request at once, if it has one of the emulator's own server."""
    if (transport := transport_of(scope)) is not None:
        transport.abort()


def transport_of(scope: Scope) -> asyncio.Transport | None:
    """Return the transport of a request's connection; None on another server than the emulator's own."""
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
    return transport


def _transport(scope: Scope) -> asyncio.Transport:
    transport = transport_of(scope)
    if transport is None:
        raise UNAVAILABLE(
            "A fault rule wants to end the connection, which only a server started by foas-emulator serve "
            "or foas_emulator.testing can do."
        )
    return transport
