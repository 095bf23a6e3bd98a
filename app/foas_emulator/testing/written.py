"""Convert Python's durations and instants to the texts of the control API."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

__tracebackhide__ = True


def written(value: Any) -> Any:
    """Return a timedelta as a duration and a datetime as ISO 8601, in mappings and lists too; anything else as it is.

    Raise ValueError for a datetime without a time zone: it names no instant.
    """
    if isinstance(value, timedelta):
        return f"{value // timedelta(milliseconds=1)}ms"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value!r} names no instant: give it a time zone, such as datetime.UTC")
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, Mapping):
        return {name: written(member) for name, member in value.items()}
    return [written(item) for item in value] if isinstance(value, list | tuple) else value
