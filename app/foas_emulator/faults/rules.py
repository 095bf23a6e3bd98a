"""The fault rules of a world: rows of its database, so a snapshot and a fork have them, and their hits, too."""

import json
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import Field

from foas_emulator.faults.document import FaultDocument
from foas_emulator.faults.effects import AnyEffect, Effect, Rate, RateLimit, Stale
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.pattern import CallPattern
from foas_emulator.world.clock import machine_now, stopwatch
from foas_emulator.world.durations import duration
from foas_emulator.world.ids import fraction, raise_counter
from foas_emulator.world.store import Row, Store, assign, equal
from foas_emulator.world.world import World

PREVIOUS_IMAGE = "faults.past"
"""Where a world that has a stale rule keeps the image of what it was before the last call that changed it."""

_WRITTEN = ("match", "effect", "at", "skip", "times", "probability")
_BOOK = "faults.book"
_WINDOWS = "faults.windows"
_EFFECT: TypeAdapter[Effect] = TypeAdapter(AnyEffect)


class FaultRule(Row, table=True):
    """One rule. `params` and `effect` are JSON; `expires_at` is the machine's time in milliseconds."""

    __tablename__ = "fault_rules"

    id: int = Field(primary_key=True)
    operation: str
    params: str
    effect: str
    at: str
    skip: int
    times: int | None
    probability: float
    expires_at: int | None
    seen: int = 0
    hits: int = 0

    def is_armed(self) -> bool:
        """Whether the rule can strike again: neither its time nor its hits are used up."""
        is_spent = self.times is not None and self.hits >= self.times
        return not is_spent and (self.expires_at is None or machine_now() < self.expires_at)

    def document(self) -> dict[str, Any]:
        """The rule as its user wrote it, with what has become of it."""
        return {
            "id": self.id,
            "match": {"operation": self.operation, "params": json.loads(self.params)},
            "effect": json.loads(self.effect),
            "at": self.at,
            "skip": self.skip,
            "times": self.times,
            "probability": self.probability,
            "expires_at": self.expires_at,
            "armed": self.is_armed(),
            "seen": self.seen,
            "hits": self.hits,
        }


def check_rules(store: Store) -> None:
    """Raise ValueError for a row that no rule of a user's could have made."""
    for row in store.find(FaultRule):
        written = row.document()
        FaultDocument.model_validate({name: written[name] for name in _WRITTEN})


def arm(world: World, document: FaultDocument, *, rule_id: int | None = None) -> FaultRule:
    """Add a rule to a world; one of the same id is replaced."""
    with world.transaction():
        if rule_id is None:
            rule_id = world.next_number("fault")
        else:
            raise_counter(world.store, "fault", rule_id)
            world.store.delete(FaultRule, equal(FaultRule.id, rule_id))
        rule = FaultRule.model_construct(
            id=rule_id,
            operation=document.match.operation,
            params=json.dumps(document.match.params, ensure_ascii=False, sort_keys=True),
            effect=document.effect.model_dump_json(exclude_unset=True),
            expires_at=None if document.ttl is None else machine_now() + duration(document.ttl),
            **document.model_dump(include={"at", "skip", "times", "probability"}),
        )
        world.store.insert(rule)
    world.cache.pop(_BOOK, None)
    return rule


def rules_of(world: World) -> list[FaultRule]:
    """Every rule of a world, in the order they were armed: the first one is the outermost."""
    return world.store.find(FaultRule)


def disarm(world: World, rule: FaultRule) -> None:
    """Remove a rule."""
    with world.transaction():
        world.store.delete(FaultRule, equal(FaultRule.id, rule.id))
    world.cache.pop(_BOOK, None)


def disarm_all(world: World) -> None:
    """Remove every rule."""
    with world.transaction():
        world.store.delete(FaultRule)
    world.cache.pop(_BOOK, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One call that a rule strikes: the chance, from 0 to 1, that belongs to it, and what is left of a rate limit."""

    chance: float
    wait_ms: int


class ArmedRule:
    """A rule at work: what it says, read once. Its counts are in its row alone."""

    def __init__(self, row: FaultRule, *, window: deque[int]) -> None:
        self.id = row.id
        self.written: Mapping[str, Any] = json.loads(row.effect)
        self.effect = _EFFECT.validate_python(self.written)
        self.at = row.at
        self._row = row
        self._pattern = CallPattern(operation=row.operation, params=json.loads(row.params))
        self._window = window

    def concerns(self, operation: Operation) -> bool:
        """Whether calls of an operation can match; stale has no say in those that write."""
        return self._pattern.names(operation.name) and not (operation.writes and isinstance(self.effect, Stale))

    def matches(self, parameters: Mapping[str, Any]) -> bool:
        """Whether every parameter that the rule names was given with a value that fits."""
        return not self._pattern.differing(parameters)

    def strike(self, world: World) -> Hit | None:
        """Count a call that matches, and decide about it; a rule that has come to rest meanwhile counts nothing."""
        row = world.store.get(FaultRule, equal(FaultRule.id, self.id))
        if row is None or row.effect != self._row.effect or not row.is_armed():
            world.cache.pop(_BOOK, None)
            return None
        seen = row.seen + 1
        hit = self._decide(world, seen)
        # Outside a transaction: no answer depends on the counts, so the world's revision stays what it was.
        world.store.update(
            FaultRule,
            assign(FaultRule.seen, seen),
            assign(FaultRule.hits, row.hits + (hit is not None)),
            where=[equal(FaultRule.id, self.id)],
        )
        return hit

    def _decide(self, world: World, seen: int) -> Hit | None:
        if seen <= self._row.skip or fraction(world.seed, f"fault/{self.id}/hit", seen) >= self._row.probability:
            return None
        wait_ms = self._wait_ms(self.effect.rate_limit) if isinstance(self.effect, RateLimit) else 0
        if wait_ms is None:
            return None
        return Hit(chance=fraction(world.seed, f"fault/{self.id}/chance", seen), wait_ms=wait_ms)

    def _wait_ms(self, rate: Rate) -> int | None:
        """Milliseconds until a call may pass; None for one that may pass now, which is then counted."""
        now, window = stopwatch(), self._window
        per = duration(rate.per) * 1_000_000
        while window and window[0] <= now - per:
            window.popleft()
        if len(window) < rate.calls:
            window.append(now)
            return None
        return math.ceil((window[0] + per - now) / 1_000_000)


class ActiveRules:
    """The rules of a world that can still strike, by operation."""

    def __init__(self, rules: list[ArmedRule]) -> None:
        self.rules = rules
        self.needs_history = any(isinstance(rule.effect, Stale) for rule in rules)
        """Whether reads may be answered from the past, which must be kept for that."""
        self._by_operation: dict[str, list[ArmedRule]] = {}

    def matching(self, operation: Operation, parameters: Mapping[str, Any]) -> list[ArmedRule]:
        """The rules that a call matches, in the order they were armed."""
        rules = self._by_operation.get(operation.name)
        if rules is None:
            rules = [rule for rule in self.rules if rule.concerns(operation)]
            self._by_operation[operation.name] = rules
        return [rule for rule in rules if rule.matches(parameters)]


def active_rules(world: World) -> ActiveRules:
    """The rules at work in a world, read from its rows when they have changed."""
    book: ActiveRules | None = world.cache.get(_BOOK)
    if book is None:
        windows = world.cache.setdefault(_WINDOWS, {})
        rows = [row for row in rules_of(world) if row.is_armed()]
        book = ActiveRules([ArmedRule(row, window=windows.setdefault(row.id, deque())) for row in rows])
        world.cache[_BOOK] = book
        if not book.needs_history:
            world.cache.pop(PREVIOUS_IMAGE, None)
    return book
