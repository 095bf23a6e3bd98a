"""A world: one isolated universe, and the value on which every request works."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select
from sqlmodel import Field

from foas_emulator.world import ids, pending
from foas_emulator.world.clock import Clock, machine_now, processor_time, stopwatch
from foas_emulator.world.file_errors import read_object
from foas_emulator.world.ids import seed_of
from foas_emulator.world.loop_lock import LoopLock
from foas_emulator.world.pending import PendingChange, UnknownChangeError
from foas_emulator.world.settings import WorldSettings, read_setting, write_setting
from foas_emulator.world.store import Store
from foas_emulator.world.tables import Row, assign, equal
from foas_emulator.world.world_cache import WorldCache

log = logging.getLogger(__name__)

LONGEST_SLICE = 0.02
"""Seconds of processor time after which no further change is settled in one go, if others may settle the rest."""


class WorldRow(Row, table=True):
    """The one row about the world itself: its seed, and the settings that were given to it (a JSON object).

    A template, from which worlds are created, has the instant at which it was made. A world that is created from it
    derives its seed from its own name, and its pending changes are as far off as they were at that instant.
    """

    __tablename__ = "world"

    id: int = Field(default=1, primary_key=True)
    seed: int = 0
    settings: str = "{}"
    template_at: int | None = None

    def read_settings(self) -> dict[str, Any]:
        return read_object(self.settings, "the settings of world")


def leave_template(store: Store, name: str, *, begun: int | None = None) -> int:
    """Turn a template into a world of this name that begins at an instant, None for now; leave a world as it is.

    Return the milliseconds by which the pending changes were postponed.
    """
    row = store.get(WorldRow, equal(WorldRow.id, 1))
    if row is None or row.template_at is None:
        return 0
    postponed_by = 0
    with store.transaction(is_admitted=True, may_grow=False):
        seed = assign(WorldRow.seed, seed_of(name))
        store.update(WorldRow, seed, assign(WorldRow.template_at, None), where=[equal(WorldRow.id, 1)])
        if pending.next_at(store) is not None:
            postponed_by = (machine_now() if begun is None else begun) - row.template_at
            pending.postpone(store, by=postponed_by)
    return postponed_by


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledChange:
    """A pending change that has happened: its instant, its subject, its event and the state that it brought, if any."""

    at: int
    subject: str
    event: str
    state: str | None = None

    @property
    def what(self) -> str:
        """Subject and event in one text: `instance:412536 started`."""
        return f"{self.subject} {self.event}"


Counts = tuple[Iterator[int], dict[str, int]]
"""What a world counts outside its database: the numbers of its requests, and the tallies of other packages."""

Handler = Callable[["World", PendingChange], str | None]
"""A function that applies a due change, inside the settling transaction; the clock shows the change's own instant.

It returns the state that the change brought, None if there is no such thing.
"""


class World:
    """Rows, clock, id counters, pending changes and settings of one universe: all of it is one database.

    Outside the database live only the counter of request ids, the tallies, the notes of the call in progress and
    `cache`, in which other packages keep values that they derive from the rows. Copies of rows (clock, settings, next
    due instant) are read again after every rollback; where that fails, they are those of before.
    """

    def __init__(
        self,
        name: str,
        store: Store,
        *,
        defaults: WorldSettings,
        handlers: Mapping[str, Handler],
        begun: int | None = None,
    ) -> None:
        """`begun` is the machine's instant at which it left its template, if it does not do so now."""
        self.name = name
        self.store = store
        self.clock = Clock(store)
        self.last_used = 0
        self.users = 0
        """The number of tasks that use it for more than one turn of the event loop."""
        self.cache = WorldCache()
        self.settling = LoopLock()
        """Taken by the task that settles in slices, moves the clock or holds off all others; see `advance`."""
        self.is_held = False
        """Whether all others wait for the task that has taken `settling`; see `advance.held`."""
        self._defaults = defaults
        self._handlers = handlers
        self._notes: dict[str, None] = {}
        self._begin(begun)

    def _begin(self, begun: int | None = None) -> None:
        """Begin with the contents of the database, which are completely new."""
        self.beginning = object()
        """Identifies the contents that the world began with: a new object after every replacement and reset."""
        self.cache.clear()
        row = self._read_copies()
        self.postponed_by = 0
        """The milliseconds by which its pending changes were postponed when it left the template it began with."""
        if row.template_at is not None:
            self.postponed_by = leave_template(self.store, self.name, begun=begun)
            row = self._read_copies()
        self.seed = row.seed
        self.requests = ids.request_numbers(self.seed)
        """The numbers of this world's requests; each is used once."""
        self.tallies: dict[str, int] = {}
        """What other packages count outside the database, by name; it goes on with the numbers of requests."""

    def _read_copies(self) -> WorldRow:
        """Read all values from the database of which this object holds copies."""
        self.next_due = pending.next_at(self.store)
        self.clock.reload()
        row = self.store.get(WorldRow, equal(WorldRow.id, 1)) or WorldRow.model_construct()
        self._given = row.read_settings()
        self._apply_settings()
        return row

    def _apply_settings(self) -> None:
        """Read the settings that were given; leave out what another version has stored and this one refuses."""
        read = {}
        for name, value in self._given.items():
            try:
                read[name] = read_setting(name, value)
            except ValueError as error:
                log.warning("the setting %s of world %s is not used: %s", name, self.name, error)
        self.settings = replace(self._defaults, **read)

    # -- use

    @property
    def is_in_use(self) -> bool:
        """Whether a task uses it for more than one turn of the event loop, so that it must not be closed."""
        return self.users > 0 or self.settling.locked()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the world open inside the block, even if no request uses it."""
        self.users += 1
        try:
            yield
        finally:
            self.users -= 1
            self.last_used = stopwatch()

    @property
    def contents(self) -> tuple[object, int]:
        """A value that changes with the contents of its database, and with the counts of its fault rules."""
        return self.store.revision, self.store.writes

    # -- identity and time

    def next_request_id(self) -> str:
        """Return a request id that this world has not given out before."""
        return ids.request_id(next(self.requests))

    def next_number(self, name: str) -> int:
        """Return the next number of one of the world's counters. Belongs inside a transaction."""
        return ids.next_number(self.store, name)

    def next_token(self, kind: str, *, length: int = 24) -> str:
        """Return a new identifier of a-z and 0-9, like those of the service. Belongs inside a transaction."""
        return ids.token(self.seed, kind, self.next_number(kind), length=length)

    def free_token(self, kind: str, is_taken: Callable[[str], bool], *, length: int = 24) -> str:
        """Return a new identifier that is not taken: a document may have some of those that the world would make."""
        number = self.next_number(kind)
        while is_taken(made := ids.token(self.seed, kind, number, length=length)):
            # Not by one: a document may have thousands of them.
            ids.raise_counter(self.store, kind, min(2 * number - 1, ids.LAST_COUNT))
            number = self.next_number(kind)
        return made

    def now(self) -> int:
        """Return the world's time in milliseconds since the epoch, and note that it was read."""
        return self.clock.now()

    def second(self) -> int:
        """Return the same time truncated to whole seconds, like the service's time stamps."""
        return self.clock.second()

    # -- notes

    def note(self, sentence: str) -> None:
        """Warn the client of the call in progress with a sentence in the response's header and the journal entry."""
        self._notes[sentence] = None

    def take_notes(self) -> list[str]:
        """Return the sentences noted since the last call of this method, each once."""
        notes = list(self._notes)
        self._notes.clear()
        return notes

    # -- settings

    @property
    def given_settings(self) -> dict[str, Any]:
        """The settings that this world was given, as documents show them; all others follow the defaults."""
        return dict(self._given)

    def set(self, settings: Mapping[str, Any]) -> None:
        """Change settings, given as documents show them. Raise ValueError and change nothing if one is not valid."""
        written = {name: write_setting(read_setting(name, value)) for name, value in settings.items()}
        with self.transaction():
            given = self._given | written
            text = json.dumps(given, ensure_ascii=False, sort_keys=True)
            self.store.update(WorldRow, assign(WorldRow.settings, text), where=[equal(WorldRow.id, 1)])
        self._given = given
        self._apply_settings()

    # -- changes

    @contextmanager
    def transaction(self, *, is_admitted: bool = False) -> Iterator[None]:
        """Apply all writes inside the block, or none of them if anything is raised; see `Store.transaction`."""
        copies = self.next_due, self.clock.reading, self._given, self.settings
        try:
            with self.store.transaction(is_admitted=is_admitted):
                yield
        except BaseException:
            self.cache.discard_from_rows()
            try:
                self._read_copies()
            except Exception:  # noqa: BLE001 - a file that cannot be read now still holds what it held before
                self.next_due, self.clock.reading, self._given, self.settings = copies
            raise

    def schedule(self, event: str, subject: str, *, at: int, **details: Any) -> None:
        """Schedule a change for an instant in milliseconds. Belongs inside a transaction."""
        pending.add(self.store, at=at, subject=subject, event=event, details=details)
        self.next_due = at if self.next_due is None else min(at, self.next_due)

    def cancel(self, subject: str, event: str | None = None) -> None:
        """Remove the pending changes of a subject. Belongs inside a transaction."""
        # Most worlds have nothing pending most of the time, and every call on an instance runs this.
        if self.next_due is not None and pending.cancel(self.store, subject, event):
            self.next_due = pending.next_at(self.store)

    def cancel_all(self, kind: str, keys: Callable[[], Select[Any]]) -> None:
        """Remove the pending changes of all subjects of a kind whose keys a statement selects, as `cancel` does.

        The statement is only made if anything is pending.
        """
        if self.next_due is not None and pending.cancel_all(self.store, kind, keys()):
            self.next_due = pending.next_at(self.store)

    @property
    def is_settled(self) -> bool:
        """Whether every change that is due has happened."""
        return self.next_due is None or self.next_due > self.clock.peek()

    def settle(self, *, until: int | None = None, most: int | None = None) -> list[SettledChange]:
        """Apply the changes that are due now, or at `until`, in order and each at its own instant; return them.

        All of them take effect in one transaction. If there are more than `most`, or if they take longer than
        `LONGEST_SLICE`, the others stay pending; without `most`, none does.
        """
        if self.next_due is None:
            return []
        now = self.clock.peek() if until is None else until
        if self.next_due > now:
            return []
        settled: list[SettledChange] = []
        begun = processor_time()
        with self.transaction(is_admitted=True):
            while (most is None or len(settled) < most) and (change := self._take_due(now)) is not None:
                with self.clock.held_at(change.at):
                    state = self._handler(change)(self, change)
                settled.append(SettledChange(at=change.at, subject=change.subject, event=change.event, state=state))
                if most is not None and processor_time() - begun > LONGEST_SLICE:
                    break  # the plan of a long script alone takes some ten milliseconds
            self.next_due = pending.next_at(self.store)
        return settled

    def _handler(self, change: PendingChange) -> Handler:
        handler = self._handlers.get(change.kind)
        if handler is None:
            raise UnknownChangeError(change)
        return handler

    def _take_due(self, now: int) -> PendingChange | None:
        change = pending.earliest(self.store, until=now)
        if change is not None:
            self.store.delete(PendingChange, equal(PendingChange.sequence, change.sequence))
        return change

    # -- replacing the whole world

    def load(self, contents: bytes | Store) -> None:
        """Replace the whole world by an image, or by another database."""
        self._replace(contents)
        self._begin()

    def move_on(self, contents: bytes | Store) -> None:
        """Replace the rows by an image or a database that was derived from this world; its request ids continue."""
        self._replace(contents)
        self.cache.discard_from_rows()
        self._read_copies()

    def _replace(self, contents: bytes | Store) -> None:
        if isinstance(contents, Store):
            self._take(contents)
        else:
            self.store.load(contents)

    def _take(self, store: Store) -> None:
        budget = self.store.budget
        if budget is not None:
            try:
                budget.require(store.size - self.store.size)
            except BaseException:
                store.close()
                raise
        store.count_in(budget)
        self.store.close()
        self.store = store
        self.clock = Clock(store)

    def continue_counts(self, counts: Counts) -> None:
        """Continue with the request ids and the tallies that the same world had before it was closed."""
        self.requests, self.tallies = counts

    def close(self) -> None:
        """Release the database and empty the cache, since a cached response may still refer to this world."""
        self.store.close()
        self.cache.clear()
