"""A call of the API as the journal keeps it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from foas_emulator.gateway.operation import Operation
from foas_emulator.journal.contents import MOST_BYTES, NOTHING, Contents
from foas_emulator.masking import MASK, masked, names_secret
from foas_emulator.world.clock import Reading

MOST_SHOWN = 2 * MOST_BYTES
"""The most characters of all parameters of a call to show, beside the first of each."""
_LONGEST_NAME = 200
"""The most characters of a parameter's name to show: no operation has one of more than a few dozen."""
_SHORT = 40
_EACH = 10
"""The characters as which each text counts, however short it is."""


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
        shown = _Shown()
        return {
            shown_name(name): MASK if names_secret(name) else shown.value(value, least=_SHORT)
            for name, value in self.parameters.items()
        }

    def given_unread(self) -> list[str]:
        """Return the names of the parameters that nothing read, as `given` has them."""
        return [shown_name(name) for name in self.unread]


def cut(text: str, most: int) -> str:
    """Return a text, or so many characters of it and its length."""
    return text if len(text) <= most else f"{text[:most]}... of {len(text)} characters"


def shown_name(name: str) -> str:
    """Return the name of a parameter, which is the whole body where JSON came as a form, with secrets masked."""
    return masked(cut(name, _LONGEST_NAME))


class _Shown:
    """The part of the parameters of a call that is shown: it is bounded for each text, and for all of them together.

    Only this part is searched for secrets, which takes 0.1 microseconds for each character.
    """

    def __init__(self) -> None:
        self._left = MOST_SHOWN

    def value(self, value: Any, *, least: int = 0) -> Any:
        """Return the part of a value to show; of a text, `least` characters even if all texts have used the limit."""
        if isinstance(value, str):
            return self._text(value, least)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return {shown_name(name): MASK if names_secret(name) else self.value(item) for name, item in value.items()}
        return value

    def _text(self, text: str, least: int) -> str:
        most = min(MOST_BYTES, max(self._left, least))
        self._left -= min(len(text), most) + _EACH
        return masked(text) if len(text) <= most else f"{masked(text[:most])}... of {len(text)} characters"
