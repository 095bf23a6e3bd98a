"""An entry of the journal as one row of a list, with secrets masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from foas_emulator.console.calls import is_success
from foas_emulator.journal.calls import Call
from foas_emulator.journal.entries import Entry
from foas_emulator.masking import masked

Outcome = Literal["ok", "refused", "faulted"]

_LONGEST = 160
_MOST_UNREAD = 5
"""The most names of a row: a request may have thousands, each of which takes some ten microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One call in one line: its time, outcome, operation and resource, and what deserves attention."""

    number: int
    request_id: str
    time: int
    outcome: Outcome
    status: int
    code: str
    operation: str
    subject: str
    milliseconds: float
    access_key_id: str
    signature: str
    warning: str
    unread: Sequence[str]

    @property
    def text(self) -> str:
        """All words of the row, for searches."""
        return f"{self.status} {self.code} {self.operation} {self.subject} {self.access_key_id} {self.request_id}"


def outcome_of(call: Call) -> Outcome:
    """Return the outcome of a call: a success, an error, or the effect of a fault rule."""
    if call.faults:
        return "faulted"
    return "ok" if is_success(call.status) else "refused"


def row_of(number: int, entry: Entry) -> Row:
    """Return the row of an entry."""
    call = entry.call
    return Row(
        number=number,
        request_id=entry.request_id,
        time=entry.real_time,
        outcome=outcome_of(call),
        status=call.status,
        code=call.code or "",
        operation=call.operation_name or masked(f"{call.method} {call.raw_path[:_LONGEST]}"),
        subject=subject_of(call),
        milliseconds=round(entry.took / 1e6, 2),
        access_key_id=call.access_key_id[:_LONGEST],
        signature=call.signature,
        warning=call.warning or "",
        unread=[*call.given_unread(_MOST_UNREAD), *(["…"] if len(call.unread) > _MOST_UNREAD else [])],
    )


def subject_of(call: Call) -> str:
    """Return the resource of a call from the parameters in its path, and those that name one: `demo/orders/-1`."""
    if call.operation is None:
        return ""
    names = [segment[1:-1] for segment in call.operation.segments if segment.startswith("{")]
    more = [name for name in ("name", "jobName", "path") if name not in names and name in call.parameters]
    return masked("/".join(_text(call.parameters.get(name, "")) for name in [*names, *more])[:_LONGEST])


def _text(value: Any) -> str:
    """Return the beginning of a value; a list or an object, which names no resource, may be large."""
    return value[:_LONGEST] if isinstance(value, str) else "" if isinstance(value, list | dict) else str(value)
