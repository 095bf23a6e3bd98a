"""Who may use the control API: callers with its token, and pages of origins that are let in."""

import hmac
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from foas_emulator.control.errors import ControlError

PREFIX = "/_emulator"
CONSOLE = f"{PREFIX}/console"
EXEMPT = (f"{PREFIX}/health", f"{PREFIX}/ca.pem")
"""What needs no token: it changes nothing, and those who ask may not have one yet."""

LOOPBACK_ORIGIN = r"https?://(localhost|127\.[0-9]+\.[0-9]+\.[0-9]+|\[::1\])(:[0-9]+)?"
_LOOPBACK_CLIENT = re.compile(r"127\.[0-9]+\.[0-9]+\.[0-9]+|::1|::ffff:127\.[0-9]+\.[0-9]+\.[0-9]+")


class ControlGate:
    """Lets callers in to `control` who may use it; every request that is not for the control API goes on to `app`.

    With a token every caller needs it; without one, only callers on this machine are let in. A page in a browser has
    to be of an allowed origin, of this server's own, or, if no origins are given, of any loopback one. The pages of
    the `console` are let in by themselves: a browser shows a cookie where others show the token.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        control: ASGIApp,
        token: str | None,
        origins: tuple[str, ...],
        console: ASGIApp | None = None,
    ) -> None:
        self._app = app
        self._console = console
        self._control = control
        self._token = token
        self._cors = CORSMiddleware(
            self._guarded,
            allow_origins=origins,
            allow_origin_regex=None if origins else LOOPBACK_ORIGIN,
            allow_methods=["*"],
            allow_headers=["*"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._console is not None and scope["path"].startswith(CONSOLE):
            await self._console(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await self._cors(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = None if scope["path"] in EXEMPT else self._refusal(scope)
        if refusal is None:
            _take_body_as_json(scope)
            await self._control(scope, receive, send)
        else:
            await refusal.answer()(scope, receive, send)

    def _refusal(self, scope: Scope) -> ControlError | None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is not None and not self._allows(origin, headers.get("host", "")):
            return ControlError(
                403,
                f"Pages of {origin} may not use the control API.",
                "The setting control_origins lets other origins in.",
            )
        if self._token is None:
            return None if is_local(scope) else _TOKEN_UNSET
        scheme, _, given = headers.get("authorization", "").partition(" ")
        fits = scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token.encode())
        return None if fits else _TOKEN_NEEDED

    def _allows(self, origin: str, host: str) -> bool:
        return self._cors.is_allowed_origin(origin) or origin.partition("://")[2] == host


_TOKEN_NEEDED = ControlError(
    401,
    "The control API wants its token.",
    "Send 'Authorization: Bearer TOKEN'; the token is the setting control_token, or was printed at the start.",
)
_TOKEN_UNSET = ControlError(
    401,
    "The control API can only be used from this machine.",
    "Start the emulator with the setting control_token to use it from elsewhere.",
)


def is_local(scope: Scope) -> bool:
    """Whether a request comes from this machine."""
    client = scope.get("client")
    return client is None or _LOOPBACK_CLIENT.fullmatch(client[0]) is not None


def _take_body_as_json(scope: Scope) -> None:
    """Have a body read as JSON whatever its type is, unless it is YAML: `curl -d` sends JSON as a form."""
    headers = MutableHeaders(scope=scope)
    if "yaml" not in headers.get("content-type", ""):
        headers["content-type"] = "application/json"
