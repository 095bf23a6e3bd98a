"""Browsers: which pages may read the responses of the API."""

from collections.abc import Awaitable, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send


class Cors:
    """Starlette's CORS for the requests of pages; every other request bypasses it.

    A request without an Origin gets no header from it, except `Vary` where only some origins are allowed. To wrap every
    response would take as long as the rest of the pipeline.
    """

    def __init__(self, app: ASGIApp, *, origins: Sequence[str], exposed: Sequence[str]) -> None:
        self._cors = CORSMiddleware(
            app, allow_origins=origins, allow_methods=["*"], allow_headers=["*"], expose_headers=exposed, max_age=86400
        )
        self._others = app if "*" in origins else self._cors

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        for name, _ in scope.get("headers", ()):
            if name == b"origin":
                return self._cors(scope, receive, send)
        return self._others(scope, receive, send)
