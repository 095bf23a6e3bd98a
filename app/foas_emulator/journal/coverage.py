"""Coverage of the service: the operations, parameters, error codes, formats and states of instances that were used."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from foas_emulator.gateway.formats import Body
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.journal.calls import Call

_STATE = {
    "json": re.compile(rb'"ActualState":"([A-Z]{1,20})"'),
    "xml": re.compile(rb"<ActualState>([A-Z]{1,20})</ActualState>"),
}
"""The member of an answer that has an instance's state, which no text of a client can imitate in the same format."""
_GROUP_WITH_STATES = "instances"
"""The operations that answer with states; members of other answers have the names that clients give to properties."""
_MOST_STATES = 100
"""The most states to count; answers that fault rules make up may have any."""

Exercised = tuple[str, str, str]
"""An operation, its outcome, and the format of its response.

An outcome is an error code, `OK`, or `unanswered` if a fault left the client without a response.
"""

_NO_ERRORS = ("OK", "unanswered")

COUNTERS_SIZE = 700
"""Approximate size in bytes of one `Counters` object with the names of its parameters."""
_MOST_COUNTERS = 2000
"""The most outcomes to count separately; fault rules can make up codes without end, so any more count as `other`."""
_LONGEST_CODE = 200
"""The most characters of a code by which calls are counted."""


class Counters:
    """The number of calls with one outcome, and their parameters. Closed when the world's journal is forgotten."""

    __slots__ = ("count", "is_closed", "parameters")

    def __init__(self) -> None:
        self.count = 0
        self.is_closed = False
        self.parameters: set[str] = set()


class Usage:
    """The calls that were made, counted by operation, outcome and format."""

    def __init__(self) -> None:
        self._counters: dict[Exercised | None, Counters] = {}
        self.states: Counter[str] = Counter()
        """The states of instances in responses; what the read cache sends again does not count again."""

    @property
    def calls(self) -> Mapping[Exercised, Counters]:
        """The counters of everything that was called, without those of unmatched requests."""
        return {exercised: counters for exercised, counters in self._counters.items() if exercised is not None}

    @property
    def total(self) -> int:
        """The number of requests counted, including those that no operation matched."""
        return sum(counters.count for counters in self._counters.values())

    @property
    def size(self) -> int:
        """The estimated size of all counters, in bytes."""
        return len(self._counters) * COUNTERS_SIZE

    def count_states_and_get_counters(self, call: Call, content: Body) -> Counters:
        """Count the states of instances in a response; return the counters for its call and all repetitions."""
        if call.operation is not None and call.operation.group == _GROUP_WITH_STATES:
            self._count_states(state.decode() for state in _STATE[call.format].findall(content.tail))
        counters = self._counters_of(_exercised(call))
        if call.operation is not None:
            # What a refused call sent was not looked at, so that anything may be unread.
            read = call.parameters.keys() - set(call.unread)
            counters.parameters.update(read & _parameters(call.operation))
        return counters

    def _count_states(self, states: Iterable[str]) -> None:
        self.states.update(state for state in states if state in self.states or len(self.states) < _MOST_STATES)

    def _counters_of(self, exercised: Exercised | None) -> Counters:
        if exercised is not None and exercised not in self._counters and len(self._counters) >= _MOST_COUNTERS:
            name, _, format_ = exercised
            exercised = name, "other", format_
        return self._counters.setdefault(exercised, Counters())

    def close(self) -> None:
        """Close all counters."""
        for counters in self._counters.values():
            counters.is_closed = True

    def merge(self, other: "Usage") -> None:
        """Add the counts of another usage."""
        for exercised, counters in other.calls.items():
            own = self._counters_of(exercised)
            own.count += counters.count
            own.parameters |= counters.parameters
        for state, count in other.states.items():
            if state in self.states or len(self.states) < _MOST_STATES:
                self.states[state] += count


def _exercised(call: Call) -> Exercised | None:
    if call.operation is None:
        return None
    outcome = call.code[:_LONGEST_CODE] if call.code else "OK" if call.status else "unanswered"
    return call.operation.name, outcome, call.format


@cache
def _parameters(operation: Operation) -> frozenset[str]:
    return frozenset(parameter.name for parameter in declared_parameters(operation.endpoint))


def report(usage: Usage, operations: Iterable[Operation], *, states: Iterable[str]) -> dict[str, Any]:
    """Return a report on these operations: those that were called, those that were not, and the percentage."""
    declared = list(operations)
    calls: dict[str, list[tuple[Exercised, Counters]]] = {}
    for exercised, counters in usage.calls.items():
        calls.setdefault(exercised[0], []).append((exercised, counters))
    done = {operation.name: _of_operation(operation, calls.get(operation.name, ())) for operation in declared}
    called = {name: each for name, each in done.items() if each["calls"]}
    codes: Counter[str] = Counter()
    for (_, outcome, _), counters in usage.calls.items():
        if outcome not in _NO_ERRORS:
            codes[outcome] += counters.count
    return {
        "operations": called,
        "operations_missing": sorted(done.keys() - called.keys()),
        "operations_percent": round(100 * len(called) / len(declared), 1),
        "states": dict(sorted(usage.states.items())),
        "states_missing": [state for state in states if state not in usage.states],
        "error_codes": dict(sorted(codes.items())),
    }


def _of_operation(operation: Operation, made: Iterable[tuple[Exercised, Counters]]) -> Mapping[str, Any]:
    calls: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    names: set[str] = set()
    for (_, outcome, format_), counters in made:
        calls[outcome] += counters.count
        formats[format_] += counters.count
        names |= counters.parameters
    declared = [parameter.name for parameter in declared_parameters(operation.endpoint)]
    return {
        "calls": calls.total(),
        "outcomes": dict(sorted(calls.items())),
        "formats": dict(sorted(formats.items())),
        "parameters": [name for name in declared if name in names],
        "parameters_missing": [name for name in declared if name not in names],
    }
