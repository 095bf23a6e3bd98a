"""The curves of GetInstanceMetric and GetClusterMetrics: smooth, stationary, and a function of time only."""

import math
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from types import MappingProxyType

from foas_emulator.blink import chance
from foas_emulator.blink.chance import Part
from foas_emulator.blink.metric_names import Curve
from foas_emulator.blink.metric_query import Aggregation, Limit, Line, MetricQuery, MetricQueryError

_WARM_UP = 60  # seconds after the start without values (documented for the console's curves)
_KEPT = 7200  # seconds that can be looked back (official sample code)
_KNOT = 300  # seconds between the points through which a curve is drawn
_TASKS = 3  # underlying lines that the aggregator combines; `_values` names each, which is faster than a loop
_SAMPLES = 3  # underlying points that the downsampling combines
_MAX_POINTS = 15_000  # all metrics of a job have 14,440 at the default granularity: some 30 milliseconds' work
_AGGREGATIONS: Mapping[Aggregation, Callable[[Sequence[float]], float]] = MappingProxyType(
    {"max": max, "avg": lambda values: math.fsum(values) / len(values), "min": min}
)


def _shares(passed: int) -> tuple[float, float]:
    """Return the shares of the knot before a second and of the one after it."""
    share = passed / _KNOT
    share *= share * (3 - 2 * share)
    return 1 - share, share


_SHARES = [_shares(passed) for passed in range(_KNOT)]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of the answer: points by epoch second as text, and one value for the whole line."""

    name: str
    dps: Mapping[str, float]
    summary: float
    tags: Mapping[str, str] = field(default_factory=dict)


def evaluate(query: MetricQuery, *, seed: Part, start_time: int, now: int) -> list[Series]:
    """Return the requested lines, without those that have no points yet.

    A line without a curve is included, without points. There are points from a minute after the job's start, for the
    last two hours, and none in the future; a query that leaves its start or end open gets all of them. Their times are
    multiples of the step. A line's summary is the aggregate of its points that the limit names. Raise
    `MetricQueryError` for too many points (the documentation warns of a timeout; the number is ours).
    """
    first = max(start_time // 1000 + _WARM_UP, now // 1000 - _KEPT, -(-(query.start or 0) // 1000))
    last = now // 1000 if query.end is None else min(now, query.end) // 1000
    times = [
        range(-(-first // line.step) * line.step, last + 1, line.step) if line.curve else range(0)
        for line in query.lines
    ]
    points = sum(map(len, times))
    if points > _MAX_POINTS:
        raise MetricQueryError(f"{points} points are more than {_MAX_POINTS}, choose a coarser granularity")
    lines = zip(query.lines, times, strict=True)
    series = [
        _series(query, line, span, seed, start_time // 1000) for line, span in lines if span or line.curve is None
    ]
    return _limited(series, query.limit)


def _series(query: MetricQuery, line: Line, times: range, seed: Part, start: int) -> Series:
    """Return the points of a line; a line without a curve has none, and its summary is 0 (inferred)."""
    if line.curve is None:
        return Series(line.metric, {}, 0.0)
    # The service stores 32-bit numbers only, so the points are the closest of these.
    values = array("f", _values(line, line.curve, times, seed, start)).tolist()
    return Series(line.metric, dict(zip(map(str, times), values, strict=True)), _AGGREGATIONS[query.limit.by](values))


def _values(line: Line, curve: Curve, times: range, seed: Part, start: int) -> Iterable[float]:
    """Return the value at each time: aggregate the tasks at each of its samples, then downsample the samples."""

    @cache
    def knots(number: int) -> list[float]:
        return [2 * chance.fraction(seed, line.metric, task, number) - 1 for task in range(_TASKS)]

    def sampled(seconds: range) -> list[float]:
        aggregate = _AGGREGATIONS[line.aggregator]
        noise: list[float] = []
        for number, shares in _shares_by_knot(seconds).items():
            (a, b, c), (d, e, f) = knots(number), knots(number + 1)
            noise += [aggregate((a * old + d * new, b * old + e * new, c * old + f * new)) for old, new in shares]
        return [
            curve.level * (1 + curve.swing * deviation) + curve.growth * (second - start)
            for second, deviation in zip(seconds, noise, strict=True)
        ]

    window = min(line.window, _KEPT)  # beyond that, no two samples would have a knot in common
    offsets = [window * sample // _SAMPLES for sample in range(_SAMPLES)]
    at = {offset: sampled(range(times.start + offset, times.stop + offset, times.step)) for offset in set(offsets)}
    values = map(_AGGREGATIONS[line.downsample], zip(*(at[offset] for offset in offsets), strict=True))
    return map(math.floor, values) if curve.whole else values


@lru_cache(maxsize=16)
def _shares_by_knot(seconds: range) -> Mapping[int, list[tuple[float, float]]]:
    """Return, by the number of the knot before them, the shares of that knot and the next one in each second.

    They are the same for all lines of a query with one granularity.
    """
    found: dict[int, list[tuple[float, float]]] = {}
    for second in seconds:
        number, passed = divmod(second, _KNOT)
        found.setdefault(number, []).append(_SHARES[passed])
    return found


def _limited(series: Sequence[Series], limit: Limit) -> list[Series]:
    """Return the lines that the limit selects, in the order of the query."""
    if limit.choice == "sample":
        count = min(limit.count, len(series))
        return [series[number * len(series) // count] for number in range(count)]
    sign = -1 if limit.choice == "above" else 1
    ranked = sorted(range(len(series)), key=lambda number: sign * series[number].summary)
    return [series[number] for number in sorted(ranked[: limit.count])]
