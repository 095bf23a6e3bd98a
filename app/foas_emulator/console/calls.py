"""The calls of the console's buttons: each is one call of the control API or the service's API, in this process.

So curl can do everything that a page does, and the journal of the world records its calls of the service.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlencode

from starlette.types import ASGIApp, Message

from foas_emulator.console.language import mark
from foas_emulator.console.shell import shell_line
from foas_emulator.faults.wire import NEVER_SENT, TRANSPORT
from foas_emulator.gateway.access_keys import WORLD_SECRET
from foas_emulator.gateway.signature import SignedRequest, v1_authorization
from foas_emulator.world.clock import machine_now
from foas_emulator.world.names import DEFAULT

SERVICE = "/api/v2/"
CONTROL = "/_emulator/"

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `target` is a raw path with its query; `world` is the world of a call of the service."""

    method: str
    target: str
    world: str = ""
    body: bytes = b""
    content_type: str = ""
    file: str = ""
    """The name of the file that is the whole body, if there is one."""

    @property
    def is_of_service(self) -> bool:
        return self.target.startswith(SERVICE)

    def headers(self) -> dict[str, str]:
        """Return the headers of the call, without a signature."""
        headers = {"content-type": self.content_type} if self.content_type else {}
        return headers | ({"x-emulator-world": self.world} if self.is_of_service else {})

    def curl(self, base_url: str, *, with_token: bool = False) -> str:
        """Return the call as one line for a shell, "" if none can be pasted.

        `with_token` takes the control token from the environment.
        """
        words = ["curl", *as_it_is(self.target), *([] if self.method == "GET" else ["-X", self.method])]
        words.append(base_url + self.target)
        headers = {name: value for name, value in self.headers().items() if value not in (FORM, JSON, DEFAULT)}
        for name, value in headers.items():
            words += ["-H", f"{name}: {value}"]
        if self.file:
            words += ["--data-binary", f"@{self.file}"]
        elif self.body:
            words += ["-d", self.body.decode("utf-8", "replace")]
        token = "" if self.is_of_service or not with_token else ' -H "authorization: Bearer $FOASEMU_CONTROL_TOKEN"'
        line = shell_line(words)
        return line and line + token


def as_it_is(target: str) -> list[str]:
    """Return the option that keeps curl from resolving dot segments of a path, since a job may have such a name."""
    return ["--path-as-is"] if "/." in target.partition("?")[0] else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a call."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return is_success(self.status)

    def document(self) -> Any:
        """Return the body parsed as JSON, None if it is something else."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def problem(self) -> tuple[str, str]:
        """Return the error of an answer that is not `ok`, and what to do about it."""
        if self.status == NEVER_SENT:
            return mark("The client got no byte: a fault rule ended the connection."), ""
        document = self.document()
        members = document if isinstance(document, dict) else {}
        if "Code" in members:
            return f"{self.status} {members['Code']}: {members.get('Message', '')}", self.headers.get(
                "x-emulator-hint", ""
            )
        return str(members.get("error", self.status)), str(members.get("hint", ""))


def is_success(status: int) -> bool:
    """Whether this is the status of an answer that is no error and of which the client got a byte."""
    return NEVER_SENT < status < HTTPStatus.BAD_REQUEST


class _Connection(asyncio.Transport):
    """A connection that fault rules may end; that nothing more is sent is all that its client sees."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = asyncio.Event()

    def close(self) -> None:
        self.ended.set()

    def abort(self) -> None:
        self.ended.set()

    def is_closing(self) -> bool:
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else default

    def setsockopt(self, *options: Any) -> None:
        pass


@dataclass(slots=True)
class _Exchange:
    """The two ends of one call over ASGI."""

    body: bytes
    connection: _Connection = field(default_factory=_Connection)
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    is_sent: bool = False

    async def receive(self) -> Message:
        if self.is_sent:
            await self.connection.ended.wait()  # this client stays until it is answered
            return {"type": "http.disconnect"}
        self.is_sent = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
            if self.headers.get("content-type", "").startswith("text/event-stream"):
                self.connection.close()  # nobody would read what happens later, and it has no end
        else:
            self.chunks.append(message.get("body", b""))


async def perform(app: ASGIApp, call: Call, *, host: str) -> Answer:
    """Make a call as if it had been sent to `host`; sign calls of the service, so that a strict world serves them."""
    path, _, query = call.target.partition("?")
    headers = {"host": host, "content-length": str(len(call.body)), **call.headers()}
    if call.is_of_service:
        headers |= _signature(call, path, query, headers)
    exchange = _Exchange(call.body)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": None,
        "server": None,
        "state": {TRANSPORT: exchange.connection},
    }
    await app(scope, exchange.receive, exchange.send)
    return Answer(status=exchange.status, headers=exchange.headers, body=b"".join(exchange.chunks))


def _signature(call: Call, path: str, query: str, headers: Mapping[str, str]) -> dict[str, str]:
    signed = {
        "accept": "application/json" if "ormat=XML" not in query else "application/xml",
        "date": formatdate(machine_now() / 1000, usegmt=True),
        "user-agent": "foas-emulator-console",
    }
    request = SignedRequest(call.method, path, query, {**headers, **signed}, call.body)
    return {**signed, "authorization": v1_authorization(request, f"world-{call.world}", WORLD_SECRET)}


def json_call(method: str, target: str, document: Any = None) -> Call:
    """Return a call of the control API."""
    body = b"" if document is None else json.dumps(document, ensure_ascii=False).encode()
    return Call(method=method, target=target, body=body, content_type=JSON if body else "")


def service_call(method: str, target: str, *, world: str, form: Mapping[str, str] | None = None) -> Call:
    """Return a call of the service's API in a world."""
    body = urlencode(form).encode() if form else b""
    return Call(method=method, target=target, world=world, body=body, content_type=FORM if body else "")
