"""Render templates to pages: always escaped, in one of two languages, outside the event loop."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Context
from markupsafe import Markup, escape

from foas_emulator.blink import lenient_json
from foas_emulator.console.highlight import highlighted
from foas_emulator.operations.instances.lifecycle import STATES, brings
from foas_emulator.world import instants
from foas_emulator.world.clock import machine_now
from foas_emulator.world.durations import duration_text
from foas_emulator.world.threads import in_thread

SERVICE_ZONE = timezone(timedelta(hours=8))
"""Times are shown as in the service's own console; the browser adds its local time as a title."""
_LAST_SHOWN = instants.LAST_INSTANT - 8 * 3_600_000
"""The latest instant to show: the service's zone is eight hours ahead, and dates end with the year 9999."""
_INDENTED = json.JSONEncoder(indent=2, ensure_ascii=False)
_LONGEST_INDENTED = 2 * lenient_json.LONGEST
"""The most characters of a text with indents: without a limit they are as many as the square of its own."""

_DAY = 86_400_000
_UNITS = ((365 * _DAY, "y"), (_DAY, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"))


class _Context(Context):
    """The context of a template, which finds the values of a page in the mapping `values`.

    A rendered page is a cycle of its context and macros, which would keep copies of its variables: `render` empties
    that mapping.
    """

    def resolve_or_missing(self, key: str) -> Any:
        values = self.parent.get("values", {})
        return values[key] if key in values and key not in self else super().resolve_or_missing(key)


@cache
def environment() -> Environment:
    """Return the templates with their filters."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters: dict[str, Callable[..., object]] = {
        "iso": instants.instant_text,
        "moment": moment,
        "clock_time": clock_time,
        "day_time": day_time,
        "span": span,
        "duration": duration_text,
        "seg": lambda text: quote(str(text), safe=""),
        "query": urlencode,
        "thousands": lambda number: f"{number:,}",
        "pretty": pretty,
        "state_class": state_class,
        "brings": brings,
        "highlighted": highlighted,
        "verbatim": verbatim,
    }
    made.filters |= filters
    made.context_class = _Context
    return made


async def render(template: str, context: Mapping[str, Any]) -> str:
    """Render a page in a thread, since a large one takes milliseconds in which the loop can answer others."""

    def page() -> str:
        values = dict(context)
        try:
            return environment().get_template(template).render(values=values)  # a template is compiled on first use
        finally:
            values.clear()

    return await in_thread(page)


def _at(milliseconds: int) -> datetime:
    return instants.moment(min(milliseconds, _LAST_SHOWN), SERVICE_ZONE)


def moment(milliseconds: int | None) -> str:
    """Return an instant in the service's zone: `2026-01-01 08:00:00`."""
    return "–" if milliseconds is None else _at(milliseconds).strftime("%Y-%m-%d %H:%M:%S")


def clock_time(milliseconds: int) -> str:
    """Return the time of day in the service's zone, or day and time if it is not today's: `11-27 08:00:00`."""
    at = _at(milliseconds)
    if at.date() != _at(machine_now()).date():
        return at.strftime("%m-%d %H:%M:%S")
    return at.strftime("%H:%M:%S.") + f"{milliseconds % 1000:03d}"


def day_time(milliseconds: int) -> str:
    """Return the time of day in the service's zone, to the minute: `08:00`."""
    return _at(milliseconds).strftime("%H:%M")


def span(milliseconds: float | None) -> str:
    """Return a duration, rounded to its two largest units: `2h 5m`."""
    if milliseconds is None:
        return "–"
    left, parts = abs(int(milliseconds)), []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or f"{int(milliseconds)}ms"


def pretty(value: Any) -> str:
    """Return a value, or the JSON in a text, as indented JSON.

    Return a text unchanged that is no JSON, is beyond the limits of a plan, or would be very long with indents.
    """
    if not isinstance(value, str):
        return "".join(_INDENTED.iterencode(value))
    if len(value) > lenient_json.LONGEST:
        return value
    try:
        document = lenient_json.parse_strictly(value)
    except ValueError:
        return value
    pieces, length = [], 0
    for piece in _INDENTED.iterencode(document):
        pieces.append(piece)
        length += len(piece)
        if length > _LONGEST_INDENTED:
            return value
    return "".join(pieces)


def verbatim(text: str) -> Markup:
    """Return a text for a <pre>, escaped so that browsers keep carriage returns, and a line end at the beginning."""
    kept = ("\n" if text.startswith("\n") else "") + text
    return escape(kept).replace("\r", Markup("&#13;"))


def state_class(state: str) -> str:
    """Return the class of a state in the style sheet; `none` for an unknown state."""
    return state.lower() if state in STATES else "none"
