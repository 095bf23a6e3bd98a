"""Access control of the control API and the pages: callers need the token or, without one, must be on this machine.

A page in a browser can reach the loopback address. So what a browser reports of a request is checked first, for every
method: the Host it was asked under, which a rebound name gives away, its Origin, and whether another site sent it.
"""

import hmac
import re
from collections.abc import Callable, Collection
from functools import partial

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from foas_emulator.control.bodies import with_body
from foas_emulator.control.browsers import HostCheck, confined, drop_escapes, is_embedded, is_loopback
from foas_emulator.control.errors import METHODS, ControlError
from foas_emulator.control.stopping import answer_or_stop
from foas_emulator.gateway.bodies import Room, Taken
from foas_emulator.gateway.responses import host_name

PREFIX = "/_emulator"
CONSOLE = f"{PREFIX}/console"
EXEMPT = (f"{PREFIX}/health", f"{PREFIX}/ca.pem", f"{PREFIX}/openapi.json")
"""Paths that need no token: they change nothing, and their callers may not have one yet."""
_CREDENTIALS = re.compile(rf"{PREFIX}/worlds/[^/]+/credentials")
"""More such paths: their answers are public, and a credential chain sends no token."""

LOOPBACK_ORIGIN = r"https?://(localhost|127\.[0-9]+\.[0-9]+\.[0-9]+|\[::1\])(:[0-9]+)?"
_DOCUMENTS = re.compile(r"/_emulator/worlds/[^/]+(/seed|/snapshot)?/?")
"""Paths that accept whole worlds, which may be larger than requests to the service."""


class ControlGate:
    """An ASGI application that gives authorized callers access to `control`; requests for other paths go to `app`.

    If there is a token, every caller needs it; otherwise only callers on this machine have access, and only under a
    Host that `host_check` accepts. A page in a browser must be of an allowed origin, of this server's own or, if no
    origins are given, of any loopback one. The pages of the `console` check access themselves, by the same rules, with
    a cookie in place of the token.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        control: ASGIApp,
        token: str | None,
        origins: Collection[str],
        host_check: HostCheck,
        max_body: int,
        max_document: int,
        console: ASGIApp | None,
        pages: tuple[str, ...],
        is_start_page: Callable[[Scope], bool],
    ) -> None:
        """Guard also the pages of `app`: their paths begin as `pages` say, or are `/` where `is_start_page` says so.

        `max_document` is the limit, in bytes, of a body with a seed or a snapshot, `max_body` that of others.
        """
        self._app = app
        self._checked = (PREFIX, *pages)
        self._is_start_page = is_start_page
        self._console = console
        self._control = control
        self._token = token
        self._host_check = host_check
        self._limits = max_body, max_document
        self._room = Room(2 * max_document)
        self._cors = CORSMiddleware(
            self._guarded,
            allow_origins=tuple(origins),
            allow_origin_regex=None if origins else LOOPBACK_ORIGIN,
            allow_methods=METHODS,
            allow_headers=["*"],
            allow_private_network=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (
            scope["path"].startswith(self._checked) or (scope["path"] == "/" and self._is_start_page(scope))
        ):
            await self._app(scope, receive, send)
            return
        drop_escapes(scope)
        send = confined(scope, send)
        if self._console is not None and scope["path"].startswith(CONSOLE):
            await answer_or_stop(self._console, scope, receive, send)
            return
        refusal = self._host_check.refusal(scope)
        allowed = self._cors if scope["path"].startswith(PREFIX) else partial(answer_or_stop, self._app)
        await (allowed if refusal is None else refusal.answer())(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        with Taken(self._room) as taken:
            await answer_or_stop(partial(self._answer, taken), scope, receive, send)

    async def _answer(self, taken: Taken, scope: Scope, receive: Receive, send: Send) -> None:
        is_exempt = _is_exempt(scope["path"])
        refusal = None if is_exempt else self._refusal(scope)
        try:
            if refusal is None and not is_exempt:  # else a caller without a token could take others' room
                limit = self._limits[_DOCUMENTS.fullmatch(scope["path"]) is not None]
                receive = await with_body(scope, receive, limit=limit, taken=taken)
                _take_body_as_json(scope)
        except ControlError as error:
            refusal = error.with_traceback(None)  # it refers to this frame, and to what has come of the body
        except ClientDisconnect:
            return
        if refusal is None:
            await self._control(scope, receive, send)
        else:
            await refusal.answer()(scope, receive, send)

    def _refusal(self, scope: Scope) -> ControlError | None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and not (self._cors.is_allowed_origin(origin) or is_of_host(headers)):
            return ControlError(
                403,
                f"Pages of {origin} may not use the control API.",
                "The setting control_origins lets other origins in.",
            )
        if origin is None and is_embedded(scope):  # reading costs too: streams of events, whole worlds
            return CROSS_SITE
        if self._token is None:
            return None if is_local(scope) else _only_from_here(scope)
        return None if has_bearer(headers, self._token) else _TOKEN_NEEDED


def has_bearer(headers: Headers, token: str) -> bool:
    """Whether a request carries this token as a bearer token."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def is_of_host(headers: Headers) -> bool:
    """Whether the Origin of a request is this server, under the name by which it is asked."""
    return headers.get("origin", "").partition("://")[2] == headers.get("host", "")


def _is_exempt(path: str) -> bool:
    return path in EXEMPT or _CREDENTIALS.fullmatch(path) is not None


CROSS_SITE = ControlError(
    403, "Pages of other sites may not use the control API.", "The setting control_origins lets other origins in."
)
_TOKEN_NEEDED = ControlError(
    401,
    "The control API requires its token.",
    "Send 'Authorization: Bearer TOKEN'; the token is the setting control_token (FOASEMU_CONTROL_TOKEN), or was printed"
    " at the start.",
)


def _only_from_here(scope: Scope) -> ControlError:
    other = passed_on_from(scope)
    reason = "" if other is None else f": X-Forwarded-For names {other}"
    return ControlError(
        401,
        f"The control API can only be used from this machine{reason}.",
        "Start the emulator with the setting control_token to use it from elsewhere.",
    )


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine; what a proxy or a tunnel on it passes on may be from another one."""
    client = scope.get("client")
    return (client is None or is_loopback(client[0])) and passed_on_from(scope) is None


def passed_on_from(scope: Scope) -> str | None:
    """Return the first address in `X-Forwarded-For` that is not of this machine, None if there is none."""
    addresses = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
    return next((each for each in map(str.strip, addresses) if each and not is_loopback(host_name(each).lower())), None)


def _take_body_as_json(scope: Scope) -> None:
    """Mark a body as JSON unless its type is YAML, because `curl -d` sends JSON as a form. Raise `ControlError`."""
    headers = MutableHeaders(scope=scope)
    if headers.get("content-type", "").strip().lower().startswith("multipart/"):  # as of `curl -F file=@seed.yaml`
        raise ControlError(
            415, "The body came as multipart, which is not read.", "Send the document itself: curl --data-binary @FILE."
        )
    if "yaml" not in headers.get("content-type", ""):
        headers["content-type"] = "application/json"
