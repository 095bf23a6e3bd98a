"""Information about the proxy that redirects programs here, for `foas-emulator env` and `run`."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from foas_emulator.control.answers import InterceptionShown, answers
from foas_emulator.control.errors import ControlError


def interception_router(interception: Mapping[str, Any] | None) -> APIRouter:
    """Return the route that describes the proxy beside this server, under `/interception`."""
    router = APIRouter(tags=["info"])

    @router.get("/interception", **answers(InterceptionShown))
    async def get_interception() -> dict[str, Any]:
        """Return the proxy's address, the hosts that it lets through, and the files that make programs trust it."""
        if interception is None:
            raise ControlError(404, "This server has no proxy.", "Start it with --intercept PORT; 0 takes a free one.")
        return dict(interception)

    return router
