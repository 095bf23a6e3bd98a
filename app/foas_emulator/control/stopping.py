"""What a client gets of the control API and the pages when the server stops before it has answered."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.control.errors import ControlError

_STOPPING = ControlError(503, "The emulator is being stopped.", "Ask again once it runs.")


async def answer_or_stop(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let an application answer; if the server stops meanwhile, a client that still waits or sends gets an error."""
    is_answered = False

    async def noting_send(message: Message) -> None:
        nonlocal is_answered
        is_answered = True
        await send(message)

    try:
        await app(scope, receive, noting_send)
    except asyncio.CancelledError:
        if not is_answered:
            await _STOPPING.answer()(scope, receive, send)
