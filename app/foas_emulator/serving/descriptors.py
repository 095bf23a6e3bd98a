"""The limit of open files and connections of this process, and its division between worlds and clients."""

import errno
import logging
import os
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

SPARE = LEAST // 2
"""Descriptors that are left when connections begin to be closed that only wait, and how many of those are spared."""

SHORT_AGAIN_S = 10.0
"""Seconds after which a lasting shortage is reported again."""


def raise_limit() -> None:
    """Raise the soft limit of open files as far as is useful and as the system allows."""
    soft = _limit()
    if resource is None or soft is None:
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for aim in (AIM, 10240):  # macOS refuses more than OPEN_MAX, 10240, where its hard limit is infinity
        wanted = aim if hard == resource.RLIM_INFINITY else min(aim, hard)
        if soft >= wanted:
            return
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            continue
        return
    log.warning("the limit of open files stays at %s", soft)


def limit_if_too_low() -> int | None:
    """Return the limit of open files if that is too low for a server, else None."""
    limit = _limit()
    return limit if limit is not None and limit < LEAST else None


def world_files_at_once() -> int | None:
    """Return the number of worlds in files that may be open at a time, at least one; None if there is no limit."""
    limit = _limit()
    return None if limit is None else max(1, (limit - min(FOR_CONNECTIONS, limit // 2)) // OF_A_WORLD)


def last_but_spare() -> int | None:
    """Return the last descriptor that leaves `SPARE` others; None if there is no limit.

    A system gives the lowest one that is free, so a higher one means that nearly all are in use.
    """
    limit = _limit()
    return None if limit is None else limit - SPARE


def are_few_left() -> bool:
    """Whether fewer than `SPARE` descriptors are left."""
    last = last_but_spare()
    if last is None:
        return False
    try:
        lowest = os.open(os.devnull, os.O_RDONLY)
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    os.close(lowest)
    return lowest > last


def _limit() -> int | None:
    """Return the soft limit of open files, None if there is none."""
    if resource is None:
        return None
    soft: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return None if soft == resource.RLIM_INFINITY else soft


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
            self._silent_until = loop.time() + SHORT_AGAIN_S
            log.warning("no connection can be accepted for now: %s", error.strerror)
