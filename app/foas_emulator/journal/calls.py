"""A call of the API as the journal keeps it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from foas_emulator.gateway.operation import Operation
from foas_emulator.journal.contents import MASK, MOST_BYTES, NOTHING, Contents, masked, names_secret
from foas_emulator.world.clock import Reading


class Fault(NamedTuple):
    """A fault rule that applied to a call: its id, its effect as the user wrote it, and its `at`."""

    rule_id: int
    effect: Mapping[str, Any]
    at: str


class Call(NamedTuple):
    """A request and its response. No secret and no signature is ever shown.

    `clock` converts real time into the world's. `status` is 0 if the client got no byte. `raw_path` is kept only for a
    request that no operation matched. `size` is the share of the budget, in bytes, of the call and one entry of it.
    `hint` and `evidence` are those of an error.
    """

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
    faults: tuple[Fault, ...]
    clock: Reading
    size: int
    contents: Contents = NOTHING
    hint: str | None = None
    evidence: str | None = None

    @property
    def operation_name(self) -> str | None:
        return None if self.operation is None else self.operation.name

    def given(self) -> dict[str, Any]:
        """Return the parameters, with the values of secrets masked and long texts cut."""
        return {name: MASK if names_secret(name) else _masked(value) for name, value in self.parameters.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value if len(value) <= MOST_BYTES else f"{value[:MOST_BYTES]}... of {len(value)} characters")
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, dict):
        return {name: MASK if names_secret(name) else _masked(item) for name, item in value.items()}
    return value
