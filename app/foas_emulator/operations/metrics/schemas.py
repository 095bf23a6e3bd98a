"""The wire models of metrics, members in the order of the documented sample."""

from foas_emulator.gateway.formats import ApiModel, ApiResponse, Float


class Metric(ApiModel):
    """One curve: its values by seconds since the epoch, and one value for the whole curve.

    The values are numbers, because a public client compares those of instances, which a help page shows as texts.
    """

    metric_name: str
    dps: dict[str, Float]
    summary: Float
    tags: dict[str, str]


class Metrics(ApiModel):
    """The wrapper of a list of curves."""

    metric: list[Metric]


class MetricsResponse(ApiResponse):
    """The answer of GetInstanceMetric and of GetClusterMetrics."""

    metrics: Metrics
