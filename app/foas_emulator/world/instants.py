"""Conversion of instants (milliseconds since the epoch) to dates and texts."""

from datetime import UTC, datetime, timedelta, tzinfo

from foas_emulator.world.clock import LAST_INSTANT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(milliseconds: int, zone: tzinfo = UTC) -> datetime:
    """Return an instant as a date and time; one that no clock can reach is shown as the last that one can.

    `datetime.fromtimestamp` would ask the system, and Windows' time ends with the year 3000.
    """
    return (_EPOCH + timedelta(milliseconds=min(milliseconds, LAST_INSTANT))).astimezone(zone)


def instant_text(milliseconds: int) -> str:
    """Return an instant as an ISO 8601 text: `2026-01-01T00:00:30.000Z`."""
    return moment(milliseconds).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
