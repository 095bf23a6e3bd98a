"""The settings of a world: the behaviours and delays that each world can have of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, get_args

from foas_emulator.showing import abridged, nearest
from foas_emulator.world.durations import Span, duration, duration_text, rate, rate_text, span, span_text

Format = Literal["json", "xml"]
SqlCheck = Literal["validate", "start"]
NotRunning = Literal["fail", "answer"]
SignatureMode = Literal["off", "warn", "strict"]

CHOICES: Mapping[str, tuple[str, ...]] = {
    "default_format": get_args(Format),
    "not_running": get_args(NotRunning),
    "sql_check": get_args(SqlCheck),
    "signature": get_args(SignatureMode),
}
"""The values of each setting that is one of a few words."""
_DELAYS = frozenset({"start_delay", "pause_delay", "stop_delay", "plan_delay", "cluster_delay"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorOverride:
    """Another code, status or message for one entry of the error catalogue; None keeps the catalogue's."""

    code: str | None = None
    status: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSettings:
    """The settings of one world. Delays are in milliseconds; a `batch_duration` of None lasts until a call ends it."""

    default_format: Format = "json"
    not_running: NotRunning = "fail"
    sql_check: SqlCheck = "validate"
    signature: SignatureMode = "warn"
    start_delay: int = 0
    pause_delay: int = 0
    stop_delay: int = 0
    plan_delay: int = 0
    cluster_delay: int = 0
    batch_duration: int | None = None
    latency: Span = Span()
    error_rate: float = 0.0
    error_overrides: Mapping[str, ErrorOverride] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_impaired(self) -> bool:
        """Whether the settings delay calls or make them fail."""
        return self.latency.longest > 0 or self.error_rate > 0


_ERROR_STATUSES = range(400, 600)

NAMES = tuple(setting.name for setting in fields(WorldSettings))


def read_setting(name: str, value: Any) -> Any:
    """Return the value of a setting as `WorldSettings` stores it. Raise ValueError, which says what is allowed.

    A delay is given as a duration (`30s`) or in seconds.
    """
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ValueError(f"{name} is {abridged(value)}; allowed: {', '.join(CHOICES[name])}")
        return value
    if name in _DELAYS:
        return duration(value)
    if name == "batch_duration":
        return None if value is None else duration(value)
    if name == "latency":
        return span(value)
    if name == "error_rate":
        return rate(value)
    if name == "error_overrides":
        return read_overrides(value)
    near = nearest(name, NAMES) or f"; there are: {', '.join(NAMES)}"
    raise ValueError(f"there is no setting {abridged(name)}{near}")


_LONGEST_TEXT = 10_000
"""The most characters of a code or a message that overrides another: every answer with it is written anew."""
_LONGEST_TEXTS = 1_000_000
"""The most characters of all of them: they are one text in the world's row, which a snapshot must be able to hold."""


def read_overrides(document: Any) -> Mapping[str, ErrorOverride]:
    """Return the overrides of a document `{catalogue code: {code, status, message}}`. Raise ValueError."""
    if not isinstance(document, Mapping):
        raise ValueError("error overrides are a mapping from a code to its new code, status or message")
    overrides = {str(code): _read_override(str(code), members) for code, members in document.items()}
    total = sum(len(each.code or "") + len(each.message or "") for each in overrides.values())
    if total > _LONGEST_TEXTS:
        raise ValueError(f"the error overrides have {total} characters together; allowed: {_LONGEST_TEXTS}")
    return MappingProxyType(overrides)


def _read_override(code: str, members: Any) -> ErrorOverride:
    given = {name for name, value in members.items() if value is not None} if isinstance(members, Mapping) else set()
    if not given or members.keys() - {"code", "status", "message"}:
        raise ValueError(f"the override of {code} must give one or more of code, status and message, and nothing else")
    override = ErrorOverride(**members)
    if override.status is not None and (type(override.status) is not int or override.status not in _ERROR_STATUSES):
        raise ValueError(f"the override of {code} has status {abridged(override.status)}; allowed: 400 to 599")
    if not all(isinstance(text, str | None) for text in (override.code, override.message)):
        raise ValueError(f"the override of {code} must give code and message as texts")
    if override.code == "":
        raise ValueError(f"the override of {code} must give a code of at least one character")
    if max(len(override.code or ""), len(override.message or "")) > _LONGEST_TEXT:
        raise ValueError(f"the override of {code} has a text of over {_LONGEST_TEXT} characters")
    return override


def write_setting(value: Any) -> Any:
    """Return a setting's value as documents show it and `read_setting` accepts it; delays look like `30s` or `2m`."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return duration_text(value)
    if isinstance(value, float):
        return rate_text(value)
    if isinstance(value, Span):
        return span_text(value)
    members = ("code", "status", "message")
    return {
        code: {name: getattr(override, name) for name in members if getattr(override, name) is not None}
        for code, override in value.items()
    }
