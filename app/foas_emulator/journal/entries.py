"""One exchange as the journal remembers it, and how it is shown."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from foas_emulator.gateway.operation import Operation
from foas_emulator.journal.nearest import nearest
from foas_emulator.world.clock import Reading

_SECRETS = frozenset({"signature", "securitytoken", "accesskeysecret"})


class Fault(NamedTuple):
    """A fault rule that struck: its id, its effect as its user wrote it, and when it struck."""

    rule_id: int
    effect: Mapping[str, Any]
    at: str


class Entry(NamedTuple):
    """One exchange. A tuple, because one is written for every request; it holds no secret and no signature.

    `started` is a monotonic instant and `took` a time, in nanoseconds; `real_time` is when the request came in, in
    milliseconds since the epoch, and `clock` what its world's clock made of that. `status` is 0 where the client got
    not a byte. `raw_path` is kept of a request that no operation answers. `size` is what the entry takes of the
    budget, in bytes.
    """

    started: int
    took: int
    real_time: int
    clock: Reading
    operation: Operation | None
    method: str
    raw_path: str
    parameters: Mapping[str, Any]
    unread: tuple[str, ...]
    access_key_id: str
    signature: str
    warning: str | None
    action: str | None
    format: str
    status: int
    code: str | None
    request_id: str
    faults: tuple[Fault, ...]
    size: int

    @property
    def operation_name(self) -> str | None:
        return None if self.operation is None else self.operation.name

    def given(self) -> dict[str, Any]:
        """The parameters, with what could open a door hidden."""
        return {name: "***" if name.lower() in _SECRETS else value for name, value in self.parameters.items()}


def show(number: int, entry: Entry, operations: Iterable[Operation]) -> dict[str, Any]:
    """An entry as a document; one that no operation answers with those that come nearest, and why they do not."""
    shown: dict[str, Any] = {
        "number": number,
        "time": _iso(entry.real_time),
        "world_time": _iso(entry.clock.at(entry.real_time)),
        "operation": entry.operation_name,
        "method": entry.method,
        "path": entry.raw_path if entry.operation is None else entry.operation.path,
        "parameters": entry.given(),
        "unread": list(entry.unread),
        "access_key_id": entry.access_key_id or None,
        "signature": entry.signature,
        "format": entry.format,
        "status": entry.status or None,
        "code": entry.code,
        "request_id": entry.request_id,
        "milliseconds": round(entry.took / 1e6, 3),
        "faults": [{"id": fault.rule_id, "effect": fault.effect, "at": fault.at} for fault in entry.faults],
    }
    if entry.warning is not None:
        shown["warning"] = entry.warning
    if entry.action is not None:
        shown["contradicting_action"] = entry.action
    if entry.operation is None:
        shown["nearest"] = nearest(entry.method, entry.raw_path, operations)
    return shown


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
