"""The life of an instance, as a table: state x event -> state.

A call sets what is expected (ExpectState) at once; what it sets going makes it so (ActualState) when its delay has
passed. States and the order of calls are documented; that an instance can be stopped while it waits or is paused, and
that a caller may declare an end (SUCCESS, FAILED), is inferred from the values ModifyInstanceState documents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

UNKNOWN = "UNKNOWN"
"""The state of a committed job before its first start: there is no instance yet."""
WAITING = "WAITING"
RUNNING = "RUNNING"
PAUSED = "PAUSED"
TERMINATED = "TERMINATED"
SUCCESS = "SUCCESS"
FAILED = "FAILED"

STATES = (WAITING, RUNNING, PAUSED, TERMINATED, SUCCESS, FAILED)
"""The states an instance can be in."""
LIVE = frozenset({WAITING, RUNNING, PAUSED})
"""The states in which a job counts as started: it can be stopped, and not be started once more."""

_CALLS: Mapping[str, Mapping[str, str]] = {
    "start": {UNKNOWN: RUNNING, TERMINATED: RUNNING, SUCCESS: RUNNING, FAILED: RUNNING},
    "pause": {RUNNING: PAUSED},
    "resume": {PAUSED: RUNNING},
    "stop": {WAITING: TERMINATED, RUNNING: TERMINATED, PAUSED: TERMINATED},
    "finish": {RUNNING: SUCCESS},
    "fail": {WAITING: FAILED, RUNNING: FAILED},
}
_OUTCOMES: Mapping[str, Mapping[str, str]] = {
    "started": {WAITING: RUNNING},
    "paused": {RUNNING: PAUSED},
    "stopped": {WAITING: TERMINATED, RUNNING: TERMINATED, PAUSED: TERMINATED},
    "finished": {RUNNING: SUCCESS},
    "failed": {WAITING: FAILED, RUNNING: FAILED},
}
TRANSITIONS: Mapping[str, Mapping[str, str]] = MappingProxyType({**_CALLS, **_OUTCOMES})
"""Which state each event leads to from each state that allows it.

A call (start, pause, resume, stop, finish, fail) leads to the state that is expected from then on, what becomes of it
(started, paused, stopped, finished, failed) to the state that is actual. Start and resume make an instance of their
own for that; the one they were called on stays as it was.
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a call: the event, and the setting that says how long it takes (None: no time)."""

    event: str
    delay: str | None = None


OUTCOMES: Mapping[str, Outcome] = MappingProxyType(
    {
        "start": Outcome("started", "start_delay"),
        "pause": Outcome("paused", "pause_delay"),
        "resume": Outcome("started", "start_delay"),
        "stop": Outcome("stopped", "stop_delay"),
        "finish": Outcome("finished"),
        "fail": Outcome("failed"),
    }
)

CALL_FOR: Mapping[str, str] = MappingProxyType(
    {RUNNING: "resume", PAUSED: "pause", TERMINATED: "stop", SUCCESS: "finish", FAILED: "fail"}
)
"""The call that ModifyInstanceState makes for each `expectState`."""
