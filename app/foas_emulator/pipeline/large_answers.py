"""Large answers, within one byte budget: a client that reads slowly holds its whole answer for as long as it likes."""

from dataclasses import dataclass, fields

from starlette.types import Message, Receive, Send

from foas_emulator.gateway.errors import UNAVAILABLE
from foas_emulator.gateway.responses import GatewayResponse

LARGE = 256 * 1024
"""The size in bytes from which an answer counts; also of the pieces in which it is handed over."""
MOST_SENDING = 512 * 1024 * 1024
"""The most bytes of such answers that clients are reading at a time. A single answer may be larger."""


class LargeAnswers:
    """The bytes of all large answers that are being sent."""

    def __init__(self) -> None:
        self.size = 0

    def counted(self, response: GatewayResponse) -> GatewayResponse:
        """Return a response that counts while it is sent, if it is large. Raise `ServiceUnavailable` without room."""
        size = size_of(response)
        if size <= LARGE:
            return response
        if self.size and self.size + size > MOST_SENDING:
            raise UNAVAILABLE(
                f"Clients are reading {self.size} bytes of large answers, and {MOST_SENDING} are allowed at a time: "
                "ask again when they have read them."
            )
        members = {member.name: getattr(response, member.name) for member in fields(GatewayResponse)}
        return _LargeResponse(**members, answers=self)


@dataclass(frozen=True, kw_only=True, eq=False)
class _LargeResponse(GatewayResponse):
    """A response that is handed over as fast as its client reads it, and counts until then."""

    answers: LargeAnswers

    async def send(self, request_id: bytes, receive: Receive, send: Send) -> None:
        async def send_in_pieces(message: Message) -> None:
            body, start = message.get("body", b""), 0
            while len(body) - start > LARGE:
                await send({**message, "body": body[start : start + LARGE], "more_body": True})
                start += LARGE
            await send({**message, "body": body[start:]} if start else message)

        size = size_of(self)
        self.answers.size += size
        try:
            await super().send(request_id, receive, send_in_pieces)
        finally:
            self.answers.size -= size


def size_of(response: GatewayResponse) -> int:
    """Return how many bytes a response has, without its request id."""
    return len(response.content.head) + len(response.content.tail)
