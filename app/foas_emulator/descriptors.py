"""How many files and connections this process may have open, and how worlds and clients share them."""

import logging
from types import ModuleType

resource: ModuleType | None
try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None

log = logging.getLogger(__name__)

FOR_CONNECTIONS = 256
"""Descriptors that are kept for clients and for the process itself, whatever worlds need; half of a low limit."""

OF_A_WORLD = 3
"""Descriptors of a world in a file: database, write-ahead log and shared memory."""

AIM = 65536
"""The limit that a server asks for; a system may allow less."""


def raise_limit() -> None:
    """Raise the soft limit of open files as far as it is useful and the system allows."""
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


def world_files_at_once() -> int | None:
    """Return how many worlds in files may be open at a time, at least one; None where there is no limit."""
    if resource is None:
        return None
    soft: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return None
    return max(1, (soft - min(FOR_CONNECTIONS, soft // 2)) // OF_A_WORLD)
