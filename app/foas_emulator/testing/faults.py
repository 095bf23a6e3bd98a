"""The fault rules of a world, for tests."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from foas_emulator.testing.client import ControlClient
from foas_emulator.testing.shapes import FAULT_RULE, FAULT_RULES

__tracebackhide__ = True


class Faults:
    """The fault rules of a world. Operations and values may be globs, and durations texts (`"60s"`)."""

    def __init__(self, control: ControlClient, path: str) -> None:
        self._control = control
        self._path = f"{path}/faults"

    def arm(
        self,
        effect: Mapping[str, Any],
        *,
        operation: str = "*",
        params: Mapping[str, str | int | bool] | None = None,
        after_commit: bool = False,
        skip: int = 0,
        times: int | None = None,
        probability: float = 1.0,
        ttl: str | float | timedelta | None = None,
    ) -> int:
        """Apply an effect, such as `{"error": "Throttling.User"}`, to calls; return the rule's id.

        With `after_commit` it applies to calls that succeeded. The first `skip` calls pass; it applies at most `times`
        times, each time with this probability, until `ttl` is over. Raise `EmulatorError` for a rule that could never
        apply.
        """
        rule = {
            "match": {"operation": operation, "params": params or {}},
            "effect": effect,
            "at": "after_commit" if after_commit else "before",
            "skip": skip,
            "times": times,
            "probability": probability,
            "ttl": ttl,
        }
        return int(self._control.request("POST", self._path, rule, shape=FAULT_RULE)["id"])

    def rules(self) -> list[dict[str, Any]]:
        """Return all rules, each with the number of calls that it has `seen`, and of its `hits`."""
        return list(self._control.request("GET", self._path, shape=FAULT_RULES)["faults"])

    def hits(self, rule_id: int) -> int:
        """Return the number of times that a rule has applied."""
        return int(self._control.request("GET", f"{self._path}/{rule_id}", shape=FAULT_RULE)["hits"])

    def disarm(self, rule_id: int | None = None) -> None:
        """Remove a rule, or all rules."""
        if rule_id is None:
            self._control.discard(self._path)
        else:
            self._control.request("DELETE", f"{self._path}/{rule_id}")
