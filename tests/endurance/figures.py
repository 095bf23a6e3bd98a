"""The findings of a program: figures, and whether the invariants held."""

import argparse
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any


@dataclass
class Figures:
    """Counts and values by name, and each invariant that did not hold, with an example."""

    counts: Counter[str] = field(default_factory=Counter)
    values: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def require(self, what: str, *, holds: bool) -> None:
        """Note an invariant that does not hold; the first few are enough."""
        if not holds and len(self.broken) < 20:
            self.broken.append(what)

    def lines(self) -> list[str]:
        shown = [*sorted(self.counts.items()), *self.values.items()]
        return [*(f"{name:<40} {value}" for name, value in shown), *(f"BROKEN: {what}" for what in self.broken)]


@dataclass(frozen=True)
class Bounds:
    """When a program ends: after so many rounds or so many seconds, whichever comes first."""

    count: int
    seconds: float
    began: float = field(default_factory=time.monotonic)
    ended: Event = field(default_factory=Event)
    """Set when the user ends the program earlier."""

    def allow(self, done: int) -> bool:
        return done < self.count and time.monotonic() < self.began + self.seconds and not self.ended.is_set()

    def part(self, *, of: int) -> "Bounds":
        """Return the bounds of one of several parts, which begins now."""
        return replace(self, count=self.count // of, seconds=self.seconds / of, began=time.monotonic())


def main(run: Callable[..., Figures], *, count: int, arguments: Sequence[str] | None = None) -> int:
    """Run a program from a command line, print its figures, and return 1 if anything that must hold did not."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=count, help="requests, calls or kills at most")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1, help="what the random choices derive from")
    given = parser.parse_args(arguments)
    bounds = Bounds(given.count, given.seconds)

    def end(number: int, _frame: object) -> None:
        bounds.ended.set()
        signal.signal(number, signal.default_int_handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    print(f"for {given.seconds:.0f} seconds at most; ctrl+c ends it earlier, with its figures", file=sys.stderr)  # noqa: T201
    found = run(bounds=bounds, seed=given.seed)
    found.values["seconds"] = round(time.monotonic() - bounds.began, 1)
    print("\n".join(found.lines()))  # noqa: T201
    return 1 if found.broken else 0
