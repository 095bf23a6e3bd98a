"""The measurements: series of rounds, and the rows of the table that are made from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from statistics import median

from benchmarks.servers import MeasurementError


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured, and the bounds it is held against.

    Without a value something was missing, and `note` says what.
    """

    what: str
    value: float | None
    reach: float | None
    aim: float | None
    unit: str = "x"
    more_is_better: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """`aim`, `reach`, `short` of it, or `missing`."""
        if self.value is None:
            return "missing"
        if self._is_within(self.value, self.aim):
            return "aim"
        return "reach" if self._is_within(self.value, self.reach) else "short"

    def _is_within(self, value: float, bound: float | None) -> bool:
        return bound is None or (value >= bound if self.more_is_better else value <= bound)


@dataclass(frozen=True, slots=True)
class Series:
    """The rounds of one measurement, for each candidate that took part.

    A candidate counts with the median of its rounds; one `at_best` (a JVM, which goes on getting faster)
    with its best.
    """

    what: str
    unit: str
    rounds: Mapping[str, tuple[float, ...]]
    more_is_better: bool = False
    missing: Mapping[str, str] = field(default_factory=dict)
    at_best: frozenset[str] = frozenset()

    def counted(self, name: str) -> float:
        """The figure that stands for the candidate."""
        rounds = self.rounds[name]
        if name not in self.at_best:
            return median(rounds)
        return max(rounds) if self.more_is_better else min(rounds)

    def ratio(self, what: str, subject: str, other: str, *, reach: float, aim: float) -> Row:
        """The row that says how many times the other's figure the subject's is."""
        for name in (subject, other):
            if name not in self.rounds:
                note = f"{name}: {self.missing.get(name, 'not measured')}"
                return Row(what, None, reach, aim, more_is_better=self.more_is_better, note=note)
        counted, against = self.counted(subject), self.counted(other)
        note = f"{counted:,.5g} against {against:,.5g} {self.unit}"
        return Row(what, counted / against, reach, aim, more_is_better=self.more_is_better, note=note)


def pooled(series: Sequence[Series]) -> Series:
    """One measurement of what was measured several times."""
    rounds = {
        name: tuple(chain.from_iterable(each.rounds.get(name, ()) for each in series)) for name in series[0].rounds
    }
    return replace(series[0], rounds=rounds)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one scenario found."""

    rows: tuple[Row, ...]
    series: tuple[Series, ...] = ()


def interleaved(
    measures: Mapping[str, Callable[[], float]], rounds: int
) -> tuple[dict[str, tuple[float, ...]], dict[str, str]]:
    """Take every measure once, then every measure again, so that a slow minute of the machine hits all alike.

    Answers the rounds of each, and the reasons of those that failed, which are not taken again.
    """
    taken: dict[str, tuple[float, ...]] = dict.fromkeys(measures, ())
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for name in [name for name in measures if name not in failed]:
            try:
                taken[name] += (measures[name](),)
            except MeasurementError as reason:
                failed[name] = str(reason)
    return {name: values for name, values in taken.items() if name not in failed}, failed
