"""A world: one isolated universe, and the value every request works on."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Field

from foas_emulator.world import ids, pending
from foas_emulator.world.clock import Clock, machine_now
from foas_emulator.world.ids import seed_of
from foas_emulator.world.pending import PendingChange
from foas_emulator.world.settings import WorldSettings, read_setting, write_setting
from foas_emulator.world.store import Row, Store, assign, equal


class WorldRow(Row, table=True):
    """The one row about the world itself: its seed, and the settings that were given to it (a JSON object).

    A template, which worlds are made from, has the instant it was made: its seed is still to be derived from a
    world's name, and its pending changes are as far off for the world as they were then.
    """

    __tablename__ = "world"

    id: int = Field(default=1, primary_key=True)
    seed: int = 0
    settings: str = "{}"
    template_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A pending change that came due: when, to what, and what happened."""

    at: int
    subject: str
    event: str

    @property
    def what(self) -> str:
        """Subject and event in one text: `instance:412536 started`."""
        return f"{self.subject} {self.event}"


Handler = Callable[["World", PendingChange], None]
"""Brings about a change that came due. Runs inside the settling transaction, at the change's own instant."""


class World:
    """Rows, clock, id counters, pending changes and settings of one universe: all of it is one database.

    Outside the database live only the count of request ids and the revision, which tells what was read before the
    last write from what was read after it.
    """

    __slots__ = (
        "_defaults",
        "_given",
        "_handlers",
        "_requests",
        "cache",
        "clock",
        "last_used",
        "name",
        "next_due",
        "revision",
        "seed",
        "settings",
        "store",
    )

    def __init__(self, name: str, store: Store, *, defaults: WorldSettings, handlers: Mapping[str, Handler]) -> None:
        self.name = name
        self.store = store
        self.clock = Clock(store)
        self.last_used = 0
        self.revision = object()
        """A new object after every change, so that whoever keeps it can tell whether the world is as it was."""
        self.cache: dict[str, Any] = {}
        """What others made of this world's rows and keep with it; forgotten when the rows are replaced as a whole."""
        self._defaults = defaults
        self._handlers = handlers
        self._reload()

    def _reload(self) -> None:
        self.cache.clear()
        row = self._read()
        self.seed = row.seed if row.template_at is None else self._begin(row.template_at)
        self._requests = ids.request_numbers(self.seed)

    def _read(self) -> WorldRow:
        """Take from the database what is kept beside it, at first, and after it was put back."""
        self.next_due = pending.next_at(self.store)
        self.clock.reload()
        row = self.store.get(WorldRow, equal(WorldRow.id, 1)) or WorldRow.model_construct()
        self._given = json.loads(row.settings)
        self._apply_settings()
        return row

    def _begin(self, template_at: int) -> int:
        """Make a world of its own out of a template; answers its seed."""
        seed = seed_of(self.name)
        with self.store.transaction():
            self.store.update(
                WorldRow, assign(WorldRow.seed, seed), assign(WorldRow.template_at, None), where=[equal(WorldRow.id, 1)]
            )
            if self.next_due is not None:
                pending.postpone(self.store, by=machine_now() - template_at)
                self.next_due = pending.next_at(self.store)
        return seed

    def _apply_settings(self) -> None:
        read = {name: read_setting(name, value) for name, value in self._given.items()}
        self.settings = replace(self._defaults, **read)

    # -- identity and time

    def next_request_id(self) -> str:
        return ids.request_id(next(self._requests))

    def next_number(self, name: str) -> int:
        """The next number of one of the world's counters. Belongs inside a transaction."""
        return ids.next_number(self.store, name)

    def next_token(self, kind: str, *, length: int = 24) -> str:
        """A new identifier in the service's manner: lower-case letters and digits. Belongs inside a transaction."""
        return ids.token(self.seed, kind, self.next_number(kind), length=length)

    def now(self) -> int:
        """The world's time in milliseconds since the epoch."""
        return self.clock.now()

    def second(self) -> int:
        """The world's time in milliseconds cut to whole seconds, as the service stamps its rows."""
        return self.clock.second()

    # -- settings

    @property
    def given_settings(self) -> dict[str, Any]:
        """The settings that were given to this world, as documents show them; all others follow the defaults."""
        return dict(self._given)

    def set(self, settings: Mapping[str, Any]) -> None:
        """Change settings, given as documents show them. Raises ValueError and changes nothing if one is wrong."""
        written = {name: write_setting(read_setting(name, value)) for name, value in settings.items()}
        with self.transaction():
            given = self._given | written
            text = json.dumps(given, ensure_ascii=False, sort_keys=True)
            self.store.update(WorldRow, assign(WorldRow.settings, text), where=[equal(WorldRow.id, 1)])
        self._given = given
        self._apply_settings()

    # -- changes

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything written inside takes effect together or not at all."""
        try:
            with self.store.transaction():
                yield
        except BaseException:
            self._read()
            raise
        if not self.store.in_transaction:
            self.revision = object()

    def schedule(self, event: str, subject: str, *, at: int, **details: Any) -> None:
        """Plan a change for an instant in milliseconds. Belongs inside a transaction."""
        pending.add(self.store, at=at, subject=subject, event=event, details=details)
        self.next_due = at if self.next_due is None else min(at, self.next_due)

    def cancel(self, subject: str, event: str | None = None) -> None:
        """Drop what was planned for a subject. Belongs inside a transaction."""
        # Most worlds most of the time have nothing planned at all, and every call on an instance asks.
        if self.next_due is not None and pending.cancel(self.store, subject, event):
            self.next_due = pending.next_at(self.store)

    @property
    def is_settled(self) -> bool:
        """Whether nothing that is due is still to be brought about."""
        return self.next_due is None or self.next_due > self.now()

    def settle(self, *, until: int | None = None) -> list[Change]:
        """Bring about every change that is due, in order, each at its own instant; all in one transaction."""
        if self.next_due is None:
            return []
        now = self.now() if until is None else until
        if self.next_due > now:
            return []
        settled = []
        with self.transaction():
            while (change := pending.earliest(self.store, until=now)) is not None:
                self.store.delete(PendingChange, equal(PendingChange.sequence, change.sequence))
                with self.clock.held_at(change.at):
                    self._handlers[change.kind](self, change)
                settled.append(Change(at=change.at, subject=change.subject, event=change.event))
            self.next_due = pending.next_at(self.store)
        return settled

    # -- wholes

    def load(self, image: bytes) -> None:
        """Replace the whole world by an image."""
        self.revision = object()
        self.store.load(image)
        self._reload()

    def move_on(self, image: bytes) -> None:
        """Replace the rows by an image that was made of this world's own; its request ids go on."""
        self.revision = object()
        self.store.load(image)
        self.cache.clear()
        self._read()

    def close(self) -> None:
        """End the world; what was read of it is of no revision that there is any more."""
        self.revision = object()
        self.store.close()
