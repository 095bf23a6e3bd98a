"""The wire models of metrics, members in the order of the documented sample."""

from foas_emulator.gateway.formats import Answer, Wire


class Metric(Wire):
    """One curve: its values by seconds since the epoch, and one value for all of it.

    The values of instances are texts and those of clusters numbers, as the samples show them.
    """

    metric_name: str
    dps: dict[str, str | float]
    summary: float
    tags: dict[str, str]


class Metrics(Wire):
    """The wrapper of a list of curves."""

    metric: list[Metric]


class MetricsAnswer(Answer):
    """The answer of GetInstanceMetric and of GetClusterMetrics."""

    metrics: Metrics
