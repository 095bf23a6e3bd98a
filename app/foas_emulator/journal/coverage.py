"""What of the service a run exercised: operations, parameters, error codes, formats, and states of instances."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from foas_emulator.gateway.formats import Body
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import declared_parameters
from foas_emulator.journal.entries import Entry

_STATE = re.compile(rb'ActualState(?:":"|>)([A-Z]+)')

Exercised = tuple[str, str, str, tuple[str, ...]]
"""An operation, its outcome, the format of its answer, and the parameters that were given.

An outcome is an error code, or `OK`, or `unanswered` where a fault left the client without an answer.
"""

_NO_ERRORS = ("OK", "unanswered")


class Exercise:
    """What was exercised, and how often."""

    def __init__(self) -> None:
        self.calls: Counter[Exercised] = Counter()
        self.states: Counter[str] = Counter()
        """The states of instances that answers showed; read again in the same bytes, a state counts once."""
        self._last: tuple[Body | None, Exercised | None] = (None, None)

    def add(self, entry: Entry, content: Body) -> None:
        """Count an exchange and what its answer showed."""
        last, key = self._last
        if content is not last:  # the read cache gives the same object again, for the same question
            key = _exercised(entry)
            self._last = (content, key)
            self.states.update(state.decode() for state in _STATE.findall(content.tail))
        if key is not None:
            self.calls[key] = self.calls.get(key, 0) + 1

    def merge(self, other: "Exercise") -> None:
        """Count everything that another has counted."""
        self.calls.update(other.calls)
        self.states.update(other.states)


def _exercised(entry: Entry) -> Exercised | None:
    if entry.operation is None:
        return None
    names = tuple(name for name in entry.parameters if name not in entry.unread)
    outcome = entry.code or ("OK" if entry.status else "unanswered")
    return entry.operation.name, outcome, entry.format, names


def report(exercise: Exercise, operations: Iterable[Operation], *, states: Iterable[str]) -> dict[str, Any]:
    """What was exercised of these operations, with what was not, and the share of them that was."""
    declared = list(operations)
    done = {operation.name: _of_operation(exercise, operation) for operation in declared}
    called = {name: each for name, each in done.items() if each["calls"]}
    codes: Counter[str] = Counter()
    for (_, outcome, _, _), calls in exercise.calls.items():
        if outcome not in _NO_ERRORS:
            codes[outcome] += calls
    return {
        "operations": called,
        "operations_missing": sorted(done.keys() - called.keys()),
        "operations_percent": round(100 * len(called) / len(declared), 1),
        "states": dict(sorted(exercise.states.items())),
        "states_missing": [state for state in states if state not in exercise.states],
        "error_codes": dict(sorted(codes.items())),
    }


def _of_operation(exercise: Exercise, operation: Operation) -> Mapping[str, Any]:
    calls: Counter[str] = Counter()
    formats: Counter[str] = Counter()
    names: set[str] = set()
    for (name, outcome, format_, parameters), count in exercise.calls.items():
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
