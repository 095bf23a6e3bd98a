"""Pending changes: rows that say what will happen to what at which instant."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from sqlalchemy import Index, Select, String, and_, case, func, literal, select, tuple_
from sqlalchemy import cast as cast_to
from sqlmodel import Field

from foas_emulator.world.file_errors import UnreadableRowError, read_object
from foas_emulator.world.ids import LAST_NUMBER, Counter, next_number
from foas_emulator.world.store import Store
from foas_emulator.world.tables import Row, assign, equal

_COUNTER = "pending_change"
_LONG = 1000
"""Characters of details that are long."""
_STATE = '{"ActualState": "'
"""The beginning of the details of a state that is planned, as `add` writes them; a snapshot may have another form."""


class PendingChange(Row, table=True):
    """One pending change. `subject` is a kind and a key (`instance:412536`), `details` a JSON object."""

    __tablename__ = "pending_changes"
    __table_args__ = (Index("changes_of_subject", "subject", "event"),)

    sequence: int = Field(primary_key=True)
    at: int = Field(index=True)
    subject: str
    event: str
    details: str = "{}"

    @property
    def kind(self) -> str:
        return self.subject.partition(":")[0]

    @property
    def key(self) -> str:
        return self.subject.partition(":")[2]

    @property
    def what(self) -> str:
        """Subject and event in one text: `instance:412536 started`."""
        return f"{self.subject} {self.event}"

    def read_details(self) -> dict[str, Any]:
        return read_object(self.details, f"the details of {self.what!r}")


class UnknownChangeError(UnreadableRowError):
    """A pending change has an unknown kind of subject."""

    def __init__(self, change: PendingChange) -> None:
        super().__init__(f"there is no kind of pending change such as {change.what!r}")


def add(store: Store, *, at: int, subject: str, event: str, details: Mapping[str, Any]) -> None:
    """Schedule a change for an instant in milliseconds. Changes at one instant happen in the order of scheduling."""
    text = json.dumps(details, ensure_ascii=False, sort_keys=True)
    sequence = next_number(store, _COUNTER)
    store.insert(PendingChange.model_construct(sequence=sequence, at=at, subject=subject, event=event, details=text))


def renumber(store: Store) -> None:
    """Number the pending changes anew, in the same order, if so many have been scheduled that numbers could run out.

    Only a snapshot can say so. Without a number for what a due change schedules, no call would succeed any more.
    """
    last = store.get(Counter, equal(Counter.name, _COUNTER))
    if last is not None and last.value > LAST_NUMBER:
        changes = store.find(PendingChange)
        store.delete(PendingChange)
        rows = (dict(vars(change), sequence=number) for number, change in enumerate(changes, 1))
        store.fill(PendingChange.table(), rows)
        store.update(Counter, assign(Counter.value, len(changes)), where=[equal(Counter.name, _COUNTER)])


def cancel(store: Store, subject: str, event: str | None = None) -> int:
    """Remove the pending changes of a subject, or only those of one event; return their number."""
    conditions = [equal(PendingChange.subject, subject)]
    if event is not None:
        conditions.append(equal(PendingChange.event, event))
    return store.delete(PendingChange, *conditions)


def cancel_all(store: Store, kind: str, keys: Select[Any]) -> int:
    """Remove the pending changes of the subjects of a kind whose keys a statement selects; return their number."""
    table = PendingChange.table()
    subjects = select(literal(f"{kind}:") + cast_to(keys.subquery().c[0], String))
    return store.execute(table.delete().where(table.c.subject.in_(subjects))).rowcount


def next_at(store: Store) -> int | None:
    """Return the instant of the earliest pending change, None if there is none."""
    return cast(int | None, store.least(PendingChange.at))


def planned(store: Store, most: int | None = None, *, after: PendingChange | None = None) -> list[PendingChange]:
    """Return the pending changes, or the next ones (after another one), in the order in which they will happen.

    They have the details of `put_state` alone, and of long ones that begin with a state that alone: hundreds, of
    megabytes each, are listed at a time.
    """
    table = PendingChange.table()
    place = table.c.at, table.c.sequence
    statement = _listed().order_by(*place).limit(most)
    if after is not None:
        statement = statement.where(tuple_(*place) > tuple_(after.at, after.sequence))
    return store.fetch(PendingChange, statement)


@cache
def _listed() -> Select[Any]:
    """Select pending changes for a list; made once, since SQLAlchemy's expressions are reference cycles."""
    table = PendingChange.table()
    details = table.c.details
    is_long = func.substr(details, _LONG, 1) != ""
    begins_with_state = func.substr(details, 1, len(_STATE)) == _STATE
    end = func.instr(func.substr(details, len(_STATE) + 1, _LONG), '"')
    state = func.substr(details, 1, len(_STATE) + end)
    is_whole = and_(end > 0, func.instr(state, "\\") == 0)  # a snapshot may have a second state, which counts
    shown = case(
        (table.c.event != "put_state", "{}"),
        (and_(is_long, begins_with_state, is_whole), state + "}"),
        else_=details,
    )
    return select(*(shown.label("details") if each is details else each for each in table.c))


def count(store: Store) -> int:
    """Return the number of pending changes."""
    return store.count(PendingChange)


def postpone(store: Store, *, by: int) -> None:
    """Postpone every pending change by milliseconds."""
    table = PendingChange.table()
    store.execute(table.update().values(at=table.c.at + by))


def oldest(store: Store) -> PendingChange | None:
    """Return the change that was scheduled before all others that are pending, None if there is none."""
    sequence = store.least(PendingChange.sequence)
    return None if sequence is None else store.get(PendingChange, equal(PendingChange.sequence, sequence))


def earliest(store: Store, *, until: int) -> PendingChange | None:
    """Return the first change that is due at `until`, None if there is none."""
    return store.first(PendingChange, PendingChange.at, most=until)
