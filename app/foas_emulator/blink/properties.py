"""A job's settings: `key=value` lines, as the console's editors keep them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foas_emulator.blink import lenient_json

# The template that the console puts into every new job names these as what it would set.
_DEFAULT_CHECKPOINT_INTERVAL = 180_000
_DEFAULT_STATE_TTL = 129_600_000
_TTL_KEYS = ("blink.state.ttl.ms", "state.backend.niagara.ttl.ms", "state.backend.rocksdb.ttl.ms")


LONGEST = 256 * 1024
MOST_LINES = 5000
"""Characters and lines of a text that settings are looked for in."""


@dataclass(frozen=True, slots=True)
class Properties:
    """The settings that are set, and what the engine makes of some of them.

    That unset or unreadable ones count as the console's template shows them is inferred.
    """

    values: Mapping[str, str]

    @property
    def checkpoint_interval(self) -> int | None:
        """Milliseconds between checkpoints; None if a job switches them off with zero or less."""
        interval = self._milliseconds("blink.checkpoint.interval.ms", default=_DEFAULT_CHECKPOINT_INTERVAL)
        return interval if interval > 0 else None

    @property
    def state_ttl(self) -> int:
        """Milliseconds that unused state is kept."""
        key = next((key for key in _TTL_KEYS if key in self.values), _TTL_KEYS[0])
        return self._milliseconds(key, default=_DEFAULT_STATE_TTL)

    def _milliseconds(self, key: str, *, default: int) -> int:
        try:
            return int(self.values[key])
        except (KeyError, ValueError):
            return default


def read(*texts: str) -> Properties:
    """The settings of the texts together, later ones over earlier ones.

    A text is lines of `key=value`, with comments from `#` or `--` at the start of a line, or an object as StartJob's
    `parameterJson` and the documented `{k:v}`. What fits neither is passed over, and so is what lies beyond the limits.
    """
    values: dict[str, str] = {}
    for text in texts:
        values.update(_object(text) if text.lstrip().startswith("{") else _lines(text))
    return Properties(values)


def check_start_parameters(text: str) -> None:
    """Raise ValueError unless a text is a valid `parameterJson` of StartJob."""
    try:
        parameters = lenient_json.parse(text)
    except ValueError as error:
        raise ValueError(f"it cannot be read: {error}") from None
    if not isinstance(parameters, dict):
        raise ValueError('it must be an object, as {"startOffset":"1548397575000"}')
    if not str(parameters.get("startOffset", 0)).isdecimal():
        raise ValueError("startOffset must be a time in milliseconds")


def _object(text: str) -> dict[str, str]:
    try:
        content = lenient_json.parse(text)
    except ValueError:
        return {}
    return {key: _text(value) for key, value in content.items()} if isinstance(content, dict) else {}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lines(text: str) -> dict[str, str]:
    pairs = (line.strip().partition("=") for line in text[:LONGEST].splitlines()[:MOST_LINES])
    return {key.strip(): value.strip() for key, equals, value in pairs if equals and not key.startswith(("#", "--"))}
