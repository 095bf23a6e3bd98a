"""The fault rules of a world: rows of its database, so that a snapshot and a fork have them with their counts."""

import json
import logging
import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import func, select
from sqlmodel import Field

from foas_emulator.faults.document import FaultDocument
from foas_emulator.faults.effects import AnyEffect, Effect, Rate, RateLimit, Stale
from foas_emulator.gateway.operation import Operation
from foas_emulator.patterns import LONGEST_TEXT, CallPattern
from foas_emulator.world.clock import machine_now, stopwatch
from foas_emulator.world.durations import duration
from foas_emulator.world.file_errors import read_object
from foas_emulator.world.ids import LAST_COUNT, fraction, raise_counter
from foas_emulator.world.images import KeptImage
from foas_emulator.world.store import Store
from foas_emulator.world.tables import Row, assign, changed, equal
from foas_emulator.world.world import World
from foas_emulator.world.world_cache import Slot

log = logging.getLogger(__name__)

PREVIOUS_IMAGE: Slot[KeptImage] = Slot(from_rows=False)
"""The image of a world before the last call that changed it, kept while a stale rule is armed."""

MOST_RULES = 1000
"""The most fault rules that a world may have: every call is compared with each of them."""

MOST_TEXT = 1024 * 1024
"""The most characters of the parameters and effects of all rules of a world: all are read when one has changed."""

_MATCHED_AT_ONCE = 200_000
"""Characters of parameters, times rules, to match in one go: each glob takes up to 0.25 microseconds for each."""

_WRITTEN = ("match", "effect", "at", "skip", "times", "probability")
_ACTIVE_RULES: Slot["ActiveRules"] = Slot(from_rows=True)
_WINDOWS: Slot[dict[tuple[int, str, str, str], "Window"]] = Slot(from_rows=False)
"""The latest calls that each rate limit let pass, by the rule and what it says."""
_EFFECT: TypeAdapter[Effect] = TypeAdapter(AnyEffect)


class RuleLimitError(ValueError):
    """A world already has as many rules as it may have, or rules with as long texts."""

    def __init__(self) -> None:
        super().__init__(
            f"a world has at most {MOST_RULES} fault rules, with {MOST_TEXT} characters in all: "
            "DELETE those that are not needed"
        )


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
        """Whether the rule can apply again: neither its ttl nor its times are used up."""
        is_spent = self.times is not None and self.hits >= self.times
        return not is_spent and (self.expires_at is None or machine_now() < self.expires_at)

    def read(self, column: Literal["params", "effect"]) -> dict[str, Any]:
        return read_object(getattr(self, column), f"the {column} of fault rule {self.id}")

    def document(self) -> dict[str, Any]:
        """Return the rule as its user wrote it, with its counts and whether it is still armed."""
        return {
            "id": self.id,
            "match": {"operation": self.operation, "params": self.read("params")},
            "effect": self.read("effect"),
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
    """Raise ValueError if the rows of fault rules are not ones that `arm` could have written."""
    _check_limits(store)
    for row in store.find(FaultRule):
        written = row.document()
        try:
            FaultDocument.model_validate({name: written[name] for name in _WRITTEN})
        except ValidationError as error:
            first = error.errors()[0]
            member = "".join(f"{part}: " for part in first["loc"][:1])  # those inside are names of pydantic's own, too
            message = first["msg"].removeprefix("Value error, ")
            raise ValueError(f"fault rule {row.id} is refused: {member}{message}; take it out") from None


def _check_limits(store: Store) -> None:
    """Raise `RuleLimitError` if a world has more rules, or longer ones, than it may have."""
    table = FaultRule.table()
    texts = func.length(table.c.params) + func.length(table.c.effect)
    characters: int = store.execute(select(func.coalesce(func.sum(texts), 0))).scalar_one()
    if store.count(FaultRule) > MOST_RULES or characters > MOST_TEXT:
        raise RuleLimitError


def arm(world: World, document: FaultDocument, *, rule_id: int | None = None) -> FaultRule:
    """Add a rule to a world, replacing one with the same id. Raise `RuleLimitError` if there are too many."""
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
        _check_limits(world.store)
    world.cache.discard(_ACTIVE_RULES)
    return rule


def rules_of(world: World) -> list[FaultRule]:
    """Return all rules of a world in the order in which they were armed: the first one is the outermost."""
    return world.store.find(FaultRule)


def disarm(world: World, rule: FaultRule) -> None:
    """Remove a rule."""
    with world.transaction():
        world.store.delete(FaultRule, equal(FaultRule.id, rule.id))
    world.cache.discard(_ACTIVE_RULES)


def disarm_all(world: World) -> None:
    """Remove every rule."""
    with world.transaction():
        world.store.delete(FaultRule)
    world.cache.discard(_ACTIVE_RULES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application of a rule: a random number from 0 to 1, and the milliseconds until a rate limit allows a call."""

    chance: float
    wait_ms: int


@dataclass(slots=True)
class Window:
    """The latest calls that a rate limit let pass, at most as many as it lets pass in a period."""

    instants: "array[int]" = field(default_factory=lambda: array("q"))
    """Stopwatch instants, in a ring once there are as many as the limit: thousands of rules may keep thousands each."""
    oldest: int = 0

    def wait_ns(self, calls: int, per: int, now: int) -> int:
        """Return the nanoseconds until a call may pass. If one may pass now, count it and return 0."""
        if len(self.instants) < calls:
            self.instants.append(now)
            return 0
        wait = self.instants[self.oldest] + per - now
        if wait > 0:
            return wait
        self.instants[self.oldest] = now
        self.oldest = (self.oldest + 1) % calls
        return 0


class ArmedRule:
    """A rule that may apply: its row, parsed once, as it was when it was last counted."""

    def __init__(self, row: FaultRule, *, window: Window) -> None:
        self.id = row.id
        self.written: Mapping[str, Any] = row.read("effect")
        self.effect = _EFFECT.validate_python(self.written)
        self.at = row.at
        self._row = row
        self._pattern = CallPattern(operation=row.operation, params=row.read("params"))
        self._window = window

    def is_armed(self) -> bool:
        """Whether the rule can apply again, as far as calls have been counted."""
        return self._row.is_armed()

    def concerns(self, operation: Operation) -> bool:
        """Whether calls of an operation can match; a stale rule never matches operations that write."""
        return self._pattern.names(operation.name) and not (operation.writes and isinstance(self.effect, Stale))

    def matches(self, parameters: Mapping[str, Any]) -> bool:
        """Whether every parameter that the rule names is given with a matching value."""
        return not self._pattern.differing(parameters)

    def count_match(self, world: World) -> Application | None:
        """Count a matching call; return the rule's application to it, None if the rule lets the call pass.

        A rule that was disarmed, used up or replaced in the meantime counts nothing.
        """
        row = world.store.get(FaultRule, equal(FaultRule.id, self.id))
        if row is None or _without_counts(row) != _without_counts(self._row) or not row.is_armed():
            world.cache.discard(_ACTIVE_RULES)
            return None
        seen = min(row.seen + 1, LAST_COUNT)
        application = self._decide(world, seen)
        hits = min(row.hits + (application is not None), LAST_COUNT)
        world.store.update_without_revision(
            FaultRule, assign(FaultRule.seen, seen), assign(FaultRule.hits, hits), where=[equal(FaultRule.id, self.id)]
        )
        self._row = changed(row, assign(FaultRule.hits, hits))
        return application

    def _decide(self, world: World, seen: int) -> Application | None:
        if seen <= self._row.skip or fraction(world.seed, f"fault/{self.id}/hit", seen) >= self._row.probability:
            return None
        wait_ms = 0
        if isinstance(self.effect, RateLimit):
            wait_ms = self._wait_ms(self.effect.rate_limit)
            if wait_ms == 0:
                return None
        return Application(chance=fraction(world.seed, f"fault/{self.id}/chance", seen), wait_ms=wait_ms)

    def _wait_ms(self, rate: Rate) -> int:
        """Return the milliseconds until a call may pass. If one may pass now, count it and return 0."""
        return math.ceil(self._window.wait_ns(rate.calls, duration(rate.per) * 1_000_000, stopwatch()) / 1_000_000)


def _without_counts(row: FaultRule) -> dict[str, Any]:
    return {**vars(row), "seen": 0, "hits": 0}


class ActiveRules:
    """The armed rules of a world, indexed by operation."""

    def __init__(self, rules: list[ArmedRule]) -> None:
        self.rules = rules
        self._stale = [rule for rule in rules if isinstance(rule.effect, Stale)]
        self._by_operation: dict[str, list[ArmedRule]] = {}

    @property
    def needs_history(self) -> bool:
        """Whether a stale rule is armed, which requires an image of the world before each call that writes."""
        return any(rule.is_armed() for rule in self._stale)

    def concerning(self, operation: Operation) -> list[ArmedRule]:
        """Return the rules that may match calls of an operation, in the order in which they were armed."""
        rules = self._by_operation.get(operation.name)
        if rules is None:
            rules = [rule for rule in self.rules if rule.concerns(operation)]
            self._by_operation[operation.name] = rules
        return rules


def takes_long(rules: Sequence[ArmedRule], parameters: Mapping[str, Any]) -> bool:
    """Whether others have to be served while these rules are matched with a call."""
    texts = [min(len(value), LONGEST_TEXT) for value in parameters.values() if isinstance(value, str)]
    return len(rules) * sum(texts) > _MATCHED_AT_ONCE


def active_rules(world: World) -> ActiveRules:
    """Return the active rules of a world, read again from its rows if these have changed."""
    return world.cache.get(_ACTIVE_RULES) or _read_rules(world)


def _armed(world: World, row: FaultRule, window: Window) -> ArmedRule | None:
    """Return a rule that may apply; None for one that an older version has written, and that is refused today."""
    try:
        return ArmedRule(row, window=window)
    except ValueError as error:
        log.warning("rule %s of world %s is not applied: %s", row.id, world.name, error)
        return None


def _read_rules(world: World) -> ActiveRules:
    windows = world.cache.get(_WINDOWS) or world.cache.put(_WINDOWS, {})
    rows = [row for row in rules_of(world) if row.is_armed()]
    keys = [(row.id, row.operation, row.params, row.effect) for row in rows]
    for key in windows.keys() - set(keys):
        del windows[key]
    armed = [_armed(world, row, windows.setdefault(key, Window())) for row, key in zip(rows, keys, strict=True)]
    active = ActiveRules([rule for rule in armed if rule is not None])
    if not active.needs_history:
        world.cache.discard(PREVIOUS_IMAGE)
    return world.cache.put(_ACTIVE_RULES, active)
