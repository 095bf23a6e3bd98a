"""AutoScaleParams: the settings of a job's automatic scaling, and their JSON texts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from foas_emulator.blink import lenient_json
from foas_emulator.blink.errors import SqlError
from foas_emulator.blink.plan import Plan, resources
from foas_emulator.blink.planner import raw_plan

GB_PER_CU = 4

PLANS = ("ORIGINAL", "CURRENT")
POLICIES: Mapping[str, str] = {"EVERY_DAY_TIME": "%H:%M", "SPECIFIED_TIME": "%Y-%m-%d %H:%M"}
"""The policies of periods of suspension, each with the form of its times."""
MOST_PERIODS = 100
"""The most structures of suspendPeriodParam, by the service's metadata."""
_PERIOD = {"plan": PLANS, "policy": tuple(POLICIES)}
CU_LIMIT = 2**31
"""The number that a maximum of CU must stay below."""
LONGEST = 64 * 1024
"""The most characters of an AutoScaleParams text that CommitJob makes."""

Period = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoScale:
    """The switch, the strategy that CommitJob receives as `configure`, and the most CU that may be used.

    One CU is one core with 4 GB of memory. Without a maximum the job was never committed with AutoScale.
    """

    is_on: bool = False
    strategy: Mapping[str, Any] | None = None
    max_cu: float | None = None
    suspend_periods: Sequence[Period] = ()

    @property
    def recommends_only(self) -> bool:
        """Whether plans are only recommended and never applied."""
        return self.strategy is not None and self.strategy.get("recommendOnly") is True

    def holds(self, cores: float, memory_gb: float) -> bool:
        """Whether a plan's cores and GB stay within the maximum."""
        return self.max_cu is None or (cores <= self.max_cu and memory_gb <= self.max_cu * GB_PER_CU)

    def to_json(self) -> str:
        """Return the documented text; periods of suspension come last, and only if there are any (inferred)."""
        members: dict[str, Any] = {"isOnOff": self.is_on, "strategyConfigure": self.strategy, "maxCU": self.max_cu}
        if self.suspend_periods:
            members["suspendPeriods"] = self.suspend_periods
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str | None) -> AutoScale:
    """Parse an AutoScaleParams text; without one, or if it is not valid, AutoScale is off.

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
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < CU_LIMIT


def tuned_plan(scale: AutoScale, code: str, *, api_type: str, job_type: str) -> Plan | None:
    """Return the widest plan for the code within the maximum CU.

    Return None if AutoScale is off, for code that is wrong, and if even the smallest plan takes more.
    """
    if not scale.is_on or scale.max_cu is None:
        return None
    cores, memory_gb = scale.max_cu, scale.max_cu * GB_PER_CU
    try:
        plan = raw_plan(code, api_type=api_type, job_type=job_type, expected_core=cores, expected_gb=memory_gb)
    except SqlError:
        return None
    return plan if scale.holds(*resources(plan)) else None


def read_switch(text: str) -> bool:
    """Parse a text whose only member is `autoscale.enable`, true or false, bare or quoted. Raise ValueError."""
    wanted = _object(text)
    switch = str(wanted.get("autoscale.enable")).lower()
    if set(wanted) != {"autoscale.enable"} or switch not in ("true", "false"):
        raise ValueError('it must be {"autoscale.enable":"true"} or "false", in this case')
    return switch == "true"


def read_strategy(text: str) -> Mapping[str, Any]:
    """Parse a strategy, which must give its threshold in seconds. Raise ValueError."""
    strategy = _object(text)
    _check_finite(strategy)
    threshold = strategy.get("fetch_delay")
    if not isinstance(threshold, int | float) or isinstance(threshold, bool) or threshold < 0:
        raise ValueError('it must give the threshold in seconds, as {"fetch_delay":44.5}, in this case')
    return strategy


def read_periods(text: str) -> Sequence[Period]:
    """Parse a JSON list of periods of suspension. Raise ValueError."""
    try:
        periods = lenient_json.parse(text)
    except ValueError as error:
        raise ValueError(f"it cannot be read: {error}") from None
    if not isinstance(periods, list) or not all(isinstance(period, dict) for period in periods):
        raise ValueError("it must be a list of objects")
    _check_finite(periods)
    return check_periods(periods)


def check_periods(periods: Sequence[Period]) -> Sequence[Period]:
    """Return the periods if each has a plan, a policy, and a start and an end in its form; else raise ValueError."""
    for period in periods:
        if not period.get("startTime") or not period.get("endTime"):
            raise ValueError("each period needs a startTime and an endTime")
        for member, allowed in _PERIOD.items():
            if period.get(member) not in allowed:
                raise ValueError(f"each period's {member} must be {' or '.join(allowed)}")
        for member in ("startTime", "endTime"):
            _check_time(period[member], period["policy"])
    return periods


def _check_time(text: Any, policy: str) -> None:
    try:
        datetime.strptime(text, POLICIES[policy])  # noqa: DTZ007 - only its form matters
    except (TypeError, ValueError):
        written = "HH:mm" if policy == "EVERY_DAY_TIME" else "yyyy-MM-dd HH:mm"
        raise ValueError(f"the times of a period with the policy {policy} are written as {written}") from None


def _check_finite(value: Any) -> None:
    """Raise ValueError for NaN and for a number that is too large: no client could parse the answer that shows it."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise ValueError("its numbers must be finite") from None


def _object(text: str) -> dict[str, Any]:
    value = lenient_json.parse(text)
    if not isinstance(value, dict):
        raise ValueError("it must be a JSON object")
    return value
