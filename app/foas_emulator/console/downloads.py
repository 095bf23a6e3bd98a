"""Files that the console offers: each is the answer of one call of the control API."""

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from foas_emulator.console.calls import CONTROL
from foas_emulator.console.site import Site
from foas_emulator.world.world import World


async def download_snapshot(site: Site, world: World, _: Request) -> Response:
    """Return a snapshot of the world as a file to download, sent as the control API sends it."""
    return _Download(site.control, f"{CONTROL}worlds/{world.name}/snapshot", name=f"{world.name}.snapshot.json")


class _Download(Response):
    """The answer of a GET of the control API as a file, handed on piece by piece: it may be a whole world."""

    def __init__(self, control: ASGIApp, target: str, *, name: str) -> None:
        super().__init__()
        self._control = control
        self._target = target
        self._disposition = f'attachment; filename="{name}"'

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_as_file(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
                MutableHeaders(scope=message)["content-disposition"] = self._disposition
            await send(message)

        kept = {name: scope[name] for name in ("type", "asgi", "http_version", "method", "scheme", "client", "server")}
        asked = {"path": self._target, "raw_path": self._target.encode(), "query_string": b"", "root_path": ""}
        await self._control({**kept, **asked, "headers": [], "state": {}}, receive, send_as_file)
