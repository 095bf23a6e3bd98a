"""Instants, which are milliseconds since the epoch, as dates and as texts."""

from datetime import UTC, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(milliseconds: int, zone: tzinfo = UTC) -> datetime:
    """Return an instant as a date and time, in any year that a world may have.

    `datetime.fromtimestamp` would ask the system, and that of Windows ends with the year 3000.
    """
    return (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(zone)


def instant_text(milliseconds: int) -> str:
    """Return an instant as people and machines read it: `2026-01-01T00:00:30.000Z`."""
    return moment(milliseconds).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
