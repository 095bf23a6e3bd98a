"""What of the service a run exercised: operations, parameters, error codes, formats, and states of instances."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from foas_emulator.gateway.formats import Body
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.journal.calls import Call

_STATE = re.compile(rb'ActualState(?:":"|>)([A-Z]+)')

Exercised = tuple[str, str, str, tuple[str, ...]]
"""An operation, its outcome, the format of its answer, and the parameters that were given.

An outcome is an error code, or `OK`, or `unanswered` where a fault left the client without an answer.
"""

_NO_ERRORS = ("OK", "unanswered")


class Counters:
    """How often something was exercised. It is closed once nobody looks at it any more."""

    __slots__ = ("count", "is_closed")

    def __init__(self) -> None:
        self.count = 0
        self.is_closed = False


class Usage:
    """What was exercised, and how often."""

    def __init__(self) -> None:
        self._counters: dict[Exercised | None, Counters] = {}
        self.states: Counter[str] = Counter()
        """The states of instances that answers showed; read again in the same bytes, a state counts once."""
        self._last: Body | None = None

    @property
    def calls(self) -> Mapping[Exercised, int]:
        """What was called, and how often."""
        return {exercised: counters.count for exercised, counters in self._counters.items() if exercised is not None}

    @property
    def total(self) -> int:
        """How many exchanges were counted, those that no operation answers among them."""
        return sum(counters.count for counters in self._counters.values())

    def counters(self, call: Call, content: Body) -> Counters:
        """Where to count a call and all that repeat it; counts the states that its answer shows."""
        if content is not self._last:  # the read cache gives the same object again, for the same question
            self._last = content
            self.states.update(state.decode() for state in _STATE.findall(content.tail))
        return self._counters.setdefault(_exercised(call), Counters())

    def close(self) -> None:
        """Close every counters."""
        for counters in self._counters.values():
            counters.is_closed = True

    def merge(self, other: "Usage") -> None:
        """Count everything that another has counted."""
        for exercised, count in other.calls.items():
            self._counters.setdefault(exercised, Counters()).count += count
        self.states.update(other.states)


def _exercised(call: Call) -> Exercised | None:
    if call.operation is None:
        return None
    unread = frozenset(call.unread)
    names = tuple(name for name in call.parameters if name not in unread)
    outcome = call.code or ("OK" if call.status else "unanswered")
    return call.operation.name, outcome, call.format, names


def report(usage: Usage, operations: Iterable[Operation], *, states: Iterable[str]) -> dict[str, Any]:
    """What was exercised of these operations, with what was not, and the share of them that was."""
    declared = list(operations)
    done = {operation.name: _of_operation(usage, operation) for operation in declared}
    called = {name: each for name, each in done.items() if each["calls"]}
    codes: Counter[str] = Counter()
    for (_, outcome, _, _), calls in usage.calls.items():
        if outcome not in _NO_ERRORS:
            codes[outcome] += calls
    return {
        "operations": called,
        "operations_missing": sorted(done.keys() - called.keys()),
        "operations_percent": round(100 * len(called) / len(declared), 1),
        "states": dict(sorted(usage.states.items())),
        "states_missing": [state for state in states if state not in usage.states],
        "error_codes": dict(sorted(codes.items())),
    }


def _of_operation(usage: Usage, operation: Operation) -> Mapping[str, Any]:
    calls: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    names: set[str] = set()
    for (name, outcome, format_, parameters), count in usage.calls.items():
        if name == operation.name:
            calls[outcome] += count
            formats[format_] += count
            names.update(parameters)
    declared = [parameter.name for parameter in declared_parameters(operation.endpoint)]
    return {
        "calls": calls.total(),
        "outcomes": dict(sorted(calls.items())),
        "formats": dict(sorted(formats.items())),
        "parameters": [name for name in declared if name in names],
        "parameters_missing": [name for name in declared if name not in names],
    }
