"""Parse metricJson: lenient about syntax, strict about meaning."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from foas_emulator.blink import lenient_json
from foas_emulator.blink.metric_names import Catalogue, Curve

Aggregation = Literal["max", "avg", "min"]
Choice = Literal["bottom", "above", "sample"]

_LIMIT = re.compile(r"(max|avg|min):(bottom|above|sample):([1-9][0-9]{0,8})")
_DOWNSAMPLE = re.compile(r"(?:([1-9][0-9]{0,8})(s|m|h)?-)?(max|avg|min)")
_GRANULARITY = re.compile(r"([1-9][0-9]{0,8})(s|m|h)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600}
_MILLISECOND_STAMPS = range(10**12, 10**13)
# The points of GetClusterMetrics' documented answer are 20 s apart, as are those of its example requests.
_DEFAULT_STEP = 20
MOST_QUERIES = 50
"""The most queries of one text: more than a job has metrics."""
LONGEST_METRIC = 512
"""The most characters of a metric's name, which is hashed hundreds of times for one curve. The number is ours."""


class MetricQueryError(ValueError):
    """A query is not valid; the message says why."""


@dataclass(frozen=True, slots=True)
class Limit:
    """The selection of lines to return: the value by which they are compared, the end to take, and their number."""

    by: Aggregation = "avg"
    choice: Choice = "sample"
    count: int = 10**9


@dataclass(frozen=True, slots=True)
class Line:
    """One requested curve: a point every `step` seconds, each computed from the `window` seconds after it.

    `curve` is None for a metric of another job or cluster, or with an unknown name: it has no points.
    """

    metric: str
    curve: Curve | None
    aggregator: Aggregation
    downsample: Aggregation
    step: int
    window: int


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """A parsed query; `start` and `end` are milliseconds since the epoch, None if the query leaves them open."""

    lines: tuple[Line, ...]
    start: int | None
    end: int | None
    limit: Limit

    @property
    def without_points(self) -> tuple[str, ...]:
        """The metrics that have no points."""
        return tuple(line.metric for line in self.lines if line.curve is None)


def parse_query(text: str, *, prefix: str, catalogue: Catalogue) -> MetricQuery:
    """Parse a metricJson. Metrics that have curves begin with the prefix.

    The prefix is `blink.{project}.{job}.` for the metrics of a job and `{clusterId}.` for those of a cluster. Both
    documented forms are accepted: an object with `queries`, and a single query. A metric with another prefix, or one
    that is not in the catalogue, becomes a line without a curve: an official sample requests some such metrics and uses
    the answers it gets. Raise `MetricQueryError` for a text that cannot be parsed, a start after the end, more than
    `MOST_QUERIES`, or a member that does not have its documented form.
    """
    content = _content(text)
    queries = content.get("queries", [content])
    if not isinstance(queries, list) or not queries or not all(isinstance(query, dict) for query in queries):
        raise MetricQueryError("queries must be a list of at least one query")
    if len(queries) > MOST_QUERIES:
        raise MetricQueryError(f"queries holds {len(queries)} of them, {MOST_QUERIES} are allowed")
    start, end = _instant(content, "start"), _instant(content, "end")
    if start is not None and end is not None and start > end:
        raise MetricQueryError(f"start {start} is after end {end}")
    return MetricQuery(tuple(_line(query, prefix, catalogue) for query in queries), start, end, _limit(content))


def _content(text: str) -> dict[str, Any]:
    try:
        content = lenient_json.parse(text)
    except ValueError as error:
        raise MetricQueryError(f"it cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise MetricQueryError("it must be an object")
    return content


def _instant(content: Mapping[str, Any], member: str) -> int | None:
    value = content.get(member)
    if value is None:
        return None
    if not re.fullmatch("[0-9]{13}", str(value)) or int(value) not in _MILLISECOND_STAMPS:
        raise MetricQueryError(f"{member} must be a time in milliseconds, 13 digits, and is {value}")
    return int(value)


def _limit(content: Mapping[str, Any]) -> Limit:
    value = content.get("limit")
    if value is None:
        return Limit()
    match = _LIMIT.fullmatch(str(value))
    if match is None:
        raise MetricQueryError(f"limit must be [max|avg|min]:[bottom|above|sample]:[count] and is {value}")
    return Limit(cast("Aggregation", match[1]), cast("Choice", match[2]), int(match[3]))


def _line(query: Mapping[str, Any], prefix: str, catalogue: Catalogue) -> Line:
    metric = query.get("metric")
    if not isinstance(metric, str) or not metric:
        raise MetricQueryError(f"metric must be a name, as {prefix}{next(iter(catalogue.curves))}, and is {metric}")
    if len(metric) > LONGEST_METRIC:
        raise MetricQueryError(f"metric has {len(metric)} characters, {LONGEST_METRIC} are allowed")
    curve = catalogue.curve(metric.removeprefix(prefix)) if metric.startswith(prefix) else None
    window, downsample = _downsample(query.get("downsample"))
    step = _granularity(query.get("granularity")) or window or _DEFAULT_STEP
    return Line(metric, curve, _aggregator(query.get("aggregator")), downsample, step, window or step)


def _aggregator(value: object) -> Aggregation:
    text = "avg" if value is None else str(value)
    if text not in {"max", "avg", "min"}:
        raise MetricQueryError(f"aggregator must be max, avg or min and is {value}")
    return cast("Aggregation", text)


def _downsample(value: object) -> tuple[int | None, Aggregation]:
    match = _DOWNSAMPLE.fullmatch("avg" if value is None else str(value))
    if match is None:
        raise MetricQueryError(f"downsample must be [seconds]-[max|avg|min] or one of these, and is {value}")
    return int(match[1]) * _SECONDS[match[2]] if match[1] else None, cast("Aggregation", match[3])


def _granularity(value: object) -> int | None:
    if value is None:
        return None
    match = _GRANULARITY.fullmatch(str(value))
    if match is None:
        raise MetricQueryError(f"granularity must be a number of seconds and is {value}")
    return int(match[1]) * _SECONDS[match[2]]
