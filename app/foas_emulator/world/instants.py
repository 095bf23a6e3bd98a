"""Conversion of instants (milliseconds since the epoch) to dates and texts."""

from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(milliseconds: int, zone: tzinfo = UTC) -> datetime:
    """Return an instant as a date and time, for any year that a world's clock can show.

    `datetime.fromtimestamp` would ask the system, and Windows' time ends with the year 3000.
    """
    return (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(zone)


def instant_text(milliseconds: int) -> str:
    """Return an instant as an ISO 8601 text: `2026-01-01T00:00:30.000Z`."""
    return moment(milliseconds).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
