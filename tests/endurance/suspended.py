"""Requests to an application in this process that are driven suspension by suspension: from one `await` to the next."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from foas_emulator.faults.wire import TRANSPORT

FORM_TOKEN = "the token of forms"


class Stepped:
    """Awaits a call, and acts when it lets others be served for the n-th time; what is returned then is done first."""

    def __init__(self, call: Coroutine[Any, Any, Any], number: int, act: Callable[[], object]) -> None:
        self._call = call
        self._number = number
        self._act = act
        self.steps = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        failure: BaseException | None = None
        while True:
            try:
                waits_for = self._call.send(None) if failure is None else self._call.throw(failure)
            except StopIteration as ended:
                return ended.value
            self.steps += 1
            failure = None
            try:
                first = self._act() if self.steps == self._number else None
                if asyncio.iscoroutine(first):
                    is_future = getattr(waits_for, "_asyncio_future_blocking", False)
                    if is_future:
                        waits_for._asyncio_future_blocking = False  # this task waits for something else meanwhile
                    yield from first.__await__()
                    if is_future and waits_for.done():
                        continue
                    if is_future:
                        waits_for._asyncio_future_blocking = True
                yield waits_for
            except BaseException as error:  # noqa: BLE001 - the call is to handle it
                failure = error


@dataclass(frozen=True)
class Request:
    """One request; a body that is a function is made when the request is sent."""

    method: str
    path: str
    body: bytes | Callable[[], bytes] = b""
    content_type: str = "application/json"
    query: str = ""


def control(method: str, path: str, document: Any = None, *, query: str = "") -> Request:
    """A call of the control API."""
    body = b"" if document is None else json.dumps(document).encode()
    return Request(method, f"/_emulator{path}", body, query=query)


def service(method: str, path: str, /, **form: str) -> Request:
    """A call of the service's API."""
    return Request(method, f"/api/v2/projects{path}", urlencode(form).encode(), "application/x-www-form-urlencoded")


def form(path: str, fields: Mapping[str, str]) -> Request:
    """A form of the console."""
    body = urlencode({"token": FORM_TOKEN, **fields}).encode()
    return Request("POST", f"/_emulator/console{path}", body, "application/x-www-form-urlencoded")


def upload(path: str, fields: Mapping[str, str], files: Mapping[str, Callable[[], bytes]]) -> Request:
    """A form of the console with files."""

    def parts() -> bytes:
        texts = {f'"{name}"': text.encode() for name, text in {"token": FORM_TOKEN, **fields}.items()}
        contents = {f'"{name}"; filename="{name}.json"': content() for name, content in files.items()}
        return (
            b"".join(
                b"--=\r\nContent-Disposition: form-data; name=%s\r\n\r\n%s\r\n" % (name.encode(), content)
                for name, content in {**texts, **contents}.items()
            )
            + b"--=--\r\n"
        )

    return Request("POST", f"/_emulator/console{path}", parts, "multipart/form-data; boundary==")


class Client:
    """Sends one request, and leaves when it is told so: what it has not sent by then is never received."""

    def __init__(self, app: Any, request: Request) -> None:
        self._app = app
        content = request.body() if callable(request.body) else request.body
        headers = {"host": "localhost", "x-emulator-world": "alice", "content-type": request.content_type}
        headers["content-length"] = str(len(content))
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "http",
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": request.query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
            "state": {TRANSPORT: _Transport(self.leave)},
        }
        half = len(content) // 2
        self._unsent = [content[half:], content[:half]]
        self._is_over = asyncio.Event()
        self.status: int | None = None
        self.body = b""

    def leave(self) -> None:
        self._is_over.set()

    async def send(self) -> int | None:
        await self._app(self._scope, self._receive, self._note)
        return self.status

    async def _receive(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        if self._unsent and not self._is_over.is_set():
            return {"type": "http.request", "body": self._unsent.pop(), "more_body": bool(self._unsent)}
        await self._is_over.wait()
        return {"type": "http.disconnect"}

    async def _note(self, message: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")
        if self.body.startswith(b": here"):
            self.leave()  # a stream of events goes on until its client leaves


class _Transport(asyncio.Transport):
    """A connection of which the client sees only that it has ended."""

    def __init__(self, leave: Callable[[], None]) -> None:
        super().__init__()
        self._leave = leave

    def close(self) -> None:
        self._leave()

    def abort(self) -> None:
        self._leave()

    def is_closing(self) -> bool:
        return False
