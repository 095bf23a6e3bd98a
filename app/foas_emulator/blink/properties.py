"""A job's settings: lines of `key=value`, as in the console's editors."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from foas_emulator.blink import lenient_json

# The template that the console puts into every new job gives these values.
_DEFAULT_CHECKPOINT_INTERVAL = 180_000
_DEFAULT_STATE_TTL = 129_600_000
_MILLISECONDS = re.compile(r"-?[0-9]{1,18}")  # numbers that surely fit into the engine's 64 bits
_TTL_KEYS = ("blink.state.ttl.ms", "state.backend.niagara.ttl.ms", "state.backend.rocksdb.ttl.ms")


LONGEST = 256 * 1024
MOST_LINES = 5000
"""The most characters, and lines or members, of a text in which to look for settings."""


@dataclass(frozen=True, slots=True)
class Properties:
    """The settings of a job, and the values of some of them that the engine uses.

    That the console's template gives the defaults of unset and unreadable ones is inferred.
    """

    values: Mapping[str, str]

    @property
    def checkpoint_interval(self) -> int | None:
        """Milliseconds between checkpoints; None if a job switches them off with zero or less."""
        interval = self._milliseconds("blink.checkpoint.interval.ms", default=_DEFAULT_CHECKPOINT_INTERVAL)
        return interval if interval > 0 else None

    @property
    def state_ttl(self) -> int:
        """Milliseconds for which unused state is kept."""
        key = next((key for key in _TTL_KEYS if key in self.values), _TTL_KEYS[0])
        return self._milliseconds(key, default=_DEFAULT_STATE_TTL)

    def _milliseconds(self, key: str, *, default: int) -> int:
        text = self.values.get(key, "")
        return max(int(text), 0) if _MILLISECONDS.fullmatch(text) else default


def read(*texts: str) -> Properties:
    """Return the settings of all texts together; later texts override earlier ones.

    A text is lines of `key=value`, with comments that begin with `#` or `--` at the start of a line, or an object such
    as StartJob's `parameterJson` and the documented `{k:v}`. Other text is ignored, and so is text beyond the limits.
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
    members = islice(content.items(), MOST_LINES) if isinstance(content, dict) else ()
    return {key: _text(value) for key, value in members}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lines(text: str) -> dict[str, str]:
    pairs = (line.strip().partition("=") for line in text[:LONGEST].splitlines()[:MOST_LINES])
    return {key.strip(): value.strip() for key, equals, value in pairs if equals and not key.startswith(("#", "--"))}
