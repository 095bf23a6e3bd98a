"""Ending a connection in the middle of things: the one place that reaches behind ASGI, for the transport."""

import asyncio
import socket
import struct
from dataclasses import dataclass, fields
from typing import Self

from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from foas_emulator.gateway.errors import UNAVAILABLE
from foas_emulator.gateway.formats import Body
from foas_emulator.gateway.responses import GatewayResponse

TRANSPORT = "foas_emulator.transport"
"""Where the `state` of a scope holds the transport of its connection."""

NEVER_SENT = 0
"""Stands for the status of an answer of which the client got not a byte."""

_NO_LINGER = struct.pack("ii", 1, 0)


class AbortableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which tells every request of a connection the transport it came by."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}


@dataclass(frozen=True, kw_only=True, eq=False)
class AbortedResponse(GatewayResponse):
    """An answer of which the client gets a part at most before its connection ends."""

    transport: asyncio.Transport
    part: float = 0.0
    reset: bool = False

    @classmethod
    def unanswered(cls, scope: Scope, *, reset: bool) -> Self:
        """Not a byte, and the end of the connection: closed, or reset."""
        transport = _transport(scope)
        return cls(status_code=NEVER_SENT, content=Body(b"", b""), content_type=b"", transport=transport, reset=reset)

    @classmethod
    def cut(cls, reply: GatewayResponse, scope: Scope, *, part: float) -> Self:
        """The head of a reply, that part of its body, and the end of the connection, which comes only once."""
        if isinstance(reply, cls):
            return reply
        members = {member.name: getattr(reply, member.name) for member in fields(GatewayResponse)}
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
        # The server must have noticed before it is told that the request is done: it would answer by itself.
        while (await receive())["type"] != "http.disconnect":
            pass

    def _end(self) -> None:
        if not self.reset:
            self.transport.close()
            return
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
    if transport is None:
        raise UNAVAILABLE(
            "A fault rule wants to end the connection, which only a server started by foas-emulator serve "
            "or foas_emulator.testing can do."
        )
    return transport
