"""AutoScaleParams: how a job's automatic scaling is set, and the text that keeps it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foas_emulator.blink import lenient_json
from foas_emulator.gateway.errors import invalid
from foas_emulator.operations.required import given

_PERIOD = {"plan": ("ORIGINAL", "CURRENT"), "policy": ("EVERY_DAY_TIME", "SPECIFIED_TIME")}
GB_PER_CU = 4
_MOST_CU = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoScale:
    """The switch, the strategy that CommitJob takes as `configure`, and the most CU that may be used.

    One CU is one core with 4 GB of memory. Without a maximum the job was never committed with AutoScale.
    """

    is_on: bool = False
    strategy: Mapping[str, Any] | None = None
    max_cu: float | None = None
    suspend_periods: Sequence[Mapping[str, str]] = ()

    @property
    def recommends_only(self) -> bool:
        """Whether plans are only proposed and never put into force."""
        return self.strategy is not None and self.strategy.get("recommendOnly") is True

    def holds(self, cores: float, memory_gb: float) -> bool:
        """Whether a plan's cores and GB stay within the maximum."""
        return self.max_cu is None or (cores <= self.max_cu and memory_gb <= self.max_cu * GB_PER_CU)

    def to_json(self) -> str:
        """The text in the documented form; periods of suspension come last, and only if there are some (inferred)."""
        members: dict[str, Any] = {"isOnOff": self.is_on, "strategyConfigure": self.strategy, "maxCU": self.max_cu}
        if self.suspend_periods:
            members["suspendPeriods"] = self.suspend_periods
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str | None) -> AutoScale:
    """What an AutoScaleParams text says; one that cannot be read, or none, says off.

    A seed may give any text, so a member of another type than the service's counts as not given.
    """
    try:
        members = _object(text or "")
    except ValueError:
        return AutoScale()
    strategy, max_cu = members.get("strategyConfigure"), members.get("maxCU")
    periods = members.get("suspendPeriods")
    return AutoScale(
        is_on=members.get("isOnOff") is True,
        strategy=strategy if isinstance(strategy, dict) else None,
        max_cu=max_cu if _is_amount(max_cu) else None,
        suspend_periods=periods if isinstance(periods, list) else (),
    )


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _MOST_CU


def switched_on(
    *,
    max_cu: float | None,
    configure: str | None,
    recommend_only: bool | None,
    suspend_periods: str | None,
    suspend_period_param: Sequence[Mapping[str, str]] | None,
) -> AutoScale:
    """AutoScale as CommitJob switches it on; `maxCU` and `configure` are then needed, as documented.

    The periods may come as one JSON text or as a list of structures; the list comes first if both are given.
    """
    if given("maxCU", max_cu) <= 0:
        raise invalid("maxCU", "it must be more than 0.")
    strategy = dict(_strategy(configure))
    if recommend_only is not None:
        strategy["recommendOnly"] = recommend_only
    periods = [*_periods("suspendPeriodParam", suspend_period_param or ()), *_periods_in(suspend_periods)]
    return AutoScale(is_on=True, strategy=strategy, max_cu=max_cu, suspend_periods=periods)


def read_switch(config_json: str | None) -> bool:
    """What UpdateAutoScaleConfig is asked to do: the one member `autoscale.enable`, true or false, bare or quoted."""
    try:
        wanted = _object(given("configJson", config_json))
    except ValueError as error:
        raise invalid("configJson", f"{error}.") from None
    switch = str(wanted.get("autoscale.enable")).lower()
    if set(wanted) != {"autoscale.enable"} or switch not in ("true", "false"):
        raise invalid("configJson", 'it must be {"autoscale.enable":"true"} or "false", in this case.')
    return switch == "true"


def _strategy(configure: str | None) -> Mapping[str, Any]:
    try:
        strategy = _object(given("configure", configure))
    except ValueError as error:
        raise invalid("configure", f"{error}.") from None
    threshold = strategy.get("fetch_delay")
    if not isinstance(threshold, int | float) or isinstance(threshold, bool):
        raise invalid("configure", 'it must give the threshold in seconds, as {"fetch_delay":44.5}, in this case.')
    return strategy


def _periods_in(text: str | None) -> Sequence[Mapping[str, str]]:
    if not text:
        return ()
    try:
        periods = lenient_json.parse(text)
    except ValueError as error:
        raise invalid("suspendPeriods", f"it cannot be read: {error}.") from None
    if not isinstance(periods, list) or not all(isinstance(period, dict) for period in periods):
        raise invalid("suspendPeriods", "it must be a list of objects.")
    return _periods("suspendPeriods", periods)


def _periods(parameter: str, periods: Sequence[Mapping[str, str]]) -> Sequence[Mapping[str, str]]:
    for period in periods:
        if not period.get("startTime") or not period.get("endTime"):
            raise invalid(parameter, "each period needs a startTime and an endTime.")
        for member, allowed in _PERIOD.items():
            if period.get(member) not in allowed:
                raise invalid(parameter, f"each period's {member} must be {' or '.join(allowed)}.")
    return periods


def _object(text: str) -> dict[str, Any]:
    value = lenient_json.parse(text)
    if not isinstance(value, dict):
        raise ValueError("it must be a JSON object")
    return value
