"""The yardstick: an ASGI application that answers fixed bytes, on uvicorn as the emulator runs it.

Run as `python raw_asgi.py PORT FILE`; FILE holds the body of every answer.
"""

import sys
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from foas_emulator.serving.crowds import Crowd
from foas_emulator.serving.uvicorn_servers import uvicorn_config


def fixed(body: bytes) -> ASGIApp:
    """An ASGI application that answers `body` to everything."""
    headers = [(b"content-type", b"application/json;charset=utf-8"), (b"content-length", b"%d" % len(body))]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    content = {"type": "http.response.body", "body": body}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        await send(start)
        await send(content)

    return application


async def _live(receive: Receive, send: Send) -> None:
    for phase in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{phase}.complete"})


if __name__ == "__main__":
    config = uvicorn_config(fixed(Path(sys.argv[2]).read_bytes()), crowd=Crowd(), keep_alive=75_000)
    config.port = int(sys.argv[1])
    uvicorn.Server(config).run()
