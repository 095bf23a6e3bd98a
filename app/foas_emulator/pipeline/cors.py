"""CORS: decide which pages in browsers may read the responses of the API."""

from collections.abc import Awaitable, Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")
"""The methods of the operations, and HEAD."""


class Cors:
    """Starlette's CORS middleware for requests of pages; every other request bypasses it.

    A request without an Origin gets no header from it, except `Vary` if only some origins are allowed. Wrapping every
    response would take as long as the rest of the pipeline.
    """

    def __init__(self, app: ASGIApp, *, origins: Sequence[str], exposed: Sequence[str], with_credentials: bool) -> None:
        """With credentials, name the origin in every answer, because browsers refuse `*` there."""
        names_origin = with_credentials and "*" in origins
        self._cors = CORSMiddleware(
            app,
            allow_origins=() if names_origin else origins,
            allow_origin_regex=".*" if names_origin else None,
            allow_methods=METHODS,
            allow_headers=["*"],
            allow_credentials=with_credentials,
            allow_private_network=True,
            expose_headers=exposed,
            max_age=86400,
        )
        self._cors.preflight_headers["X-Content-Type-Options"] = "nosniff"
        self._others = app if "*" in origins else self._cors

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        for name, _ in scope.get("headers", ()):
            if name == b"origin":
                return self._cors(scope, receive, send)
        return self._others(scope, receive, send)
