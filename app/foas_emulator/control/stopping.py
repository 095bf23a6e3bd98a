"""Answer the clients of the control API and the pages that are still waiting when the server stops."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.control.errors import stopping
from foas_emulator.faults.wire import break_off


async def answer_or_stop(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let an application answer; if the server stops meanwhile, a client that still waits or sends gets an error.

    One that has read a part of its answer loses the connection, as it would anyway, and leaves no error in the log.
    """
    is_answered = is_complete = False

    async def noting_send(message: Message) -> None:
        nonlocal is_answered, is_complete
        is_answered = True
        await send(message)
        is_complete = message["type"] == "http.response.body" and not message.get("more_body", False)

    try:
        await app(scope, receive, noting_send)
    except asyncio.CancelledError:
        if not is_answered:
            await stopping().answer()(scope, receive, send)
        elif not is_complete:
            await break_off(scope, receive)
