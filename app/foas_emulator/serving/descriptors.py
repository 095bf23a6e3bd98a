"""The limit of open files and connections of this process, and its division between worlds and clients."""

import logging
from asyncio import AbstractEventLoop
from types import ModuleType
from typing import Any

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None

log = logging.getLogger(__name__)

FOR_CONNECTIONS = 256
"""Descriptors that are reserved for clients and for the process itself; at most half of a low limit."""

OF_A_WORLD = 2
"""Descriptors of a world in a file: database and write-ahead log."""

LEAST = 64
"""The fewest descriptors with which a server starts: it has about twenty before its first client."""

AIM = 65536
"""The limit for which a server asks; a system may allow less."""

REPORT_EVERY_S = 10.0


def raise_limit() -> None:
    """Raise the soft limit of open files as far as is useful and as the system allows."""
    if resource is None:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for aim in (AIM, 10240):  # macOS refuses more than OPEN_MAX, 10240, where its hard limit is infinity
        wanted = aim if hard == resource.RLIM_INFINITY else min(aim, hard)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            continue
        return
    log.warning("the limit of open files stays at %s", soft)


def limit_if_too_low() -> int | None:
    """Return the limit of open files if that is too low for a server, else None."""
    soft = None if resource is None else resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return soft if soft is not None and 0 <= soft < LEAST else None  # no limit is a negative number


def world_files_at_once() -> int | None:
    """Return the number of worlds in files that may be open at a time, at least one; None if there is no limit."""
    if resource is None:
        return None
    soft: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return None
    return max(1, (soft - min(FOR_CONNECTIONS, soft // 2)) // OF_A_WORLD)


class LoopErrors:
    """Log the errors in an event loop's callbacks, but connections that the system refuses only now and then.

    asyncio tries to accept them thousands of times a second, and reports each attempt.
    """

    def __init__(self) -> None:
        self._silent_until = 0.0

    def __call__(self, loop: AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle what a loop reports."""
        error = context.get("exception")
        if "socket" not in context or not isinstance(error, OSError):
            loop.default_exception_handler(context)
        elif loop.time() >= self._silent_until:
            self._silent_until = loop.time() + REPORT_EVERY_S
            log.warning("no connection can be accepted for now: %s", error.strerror)
