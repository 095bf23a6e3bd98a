"""What the control API shows of the server itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Budget(Protocol):
    """Something kept in memory: its estimated size in bytes, and the limit that a setting gives it."""

    @property
    def size(self) -> int: ...
    @property
    def limit(self) -> int: ...


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """The settings, budgets and addresses of a server, and what clients need to reach it."""

    settings: Mapping[str, Any]
    """By name, with secrets masked."""
    budgets: Mapping[str, Budget]
    """By the setting that gives the limit."""
    addresses: Sequence[str] = ()
    """The URLs at which it listens, as far as they are known."""
    authority: bytes | None = None
    """The certificate that clients must trust for https, as PEM."""
    interception: Mapping[str, Any] | None = None
    """The description of the proxy beside it, if there is one."""
