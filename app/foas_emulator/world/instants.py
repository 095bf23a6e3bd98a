"""Instants as numbers, texts and dates. Imports nothing slow, because the command line prints them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from foas_emulator.showing import abridged

LAST_INSTANT = 253_402_300_799_999
"""The end of the year 9999 in milliseconds since the epoch. No clock goes further: ISO 8601 texts end there."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MILLISECONDS = re.compile("(?!(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])[0-9]{6}(?:[0-9]{2})?$)[0-9]{12,15}")
"""Fewer digits are those of a date, or of seconds; 20260101120000 is meant as a date and a time."""

_NO_TIME = re.compile("[0-9]{9}|[0-9]{4}-[0-9]{2}-[0-9]{3}")
"""A date with a digit in place of the T, which Python skips: it reads 20260101120000000 as 20:00."""


def instant(value: str | int) -> int:
    """Return the milliseconds since the epoch of an ISO 8601 text (UTC unless it says otherwise); keep a number as is.

    A text of 12 to 15 digits is a number, as on a command line and in a form, unless it may be a date and a time. Raise
    ValueError for any other text.
    """
    if isinstance(value, int):
        return value
    text = value.strip()
    if _MILLISECONDS.fullmatch(text):
        return int(text)
    try:
        parsed = datetime.fromisoformat("" if _NO_TIME.match(text) else text)
    except ValueError:
        reason = "neither milliseconds since the epoch (13 digits) nor an ISO 8601 time"
        raise ValueError(f"{abridged(value)} is {reason}, such as 2026-01-01T00:00:00Z") from None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def moment(milliseconds: int, zone: tzinfo = UTC) -> datetime:
    """Return an instant as a date and time; one that no clock can reach is shown as the last that one can.

    `datetime.fromtimestamp` would ask the system, and Windows' time ends with the year 3000.
    """
    return (_EPOCH + timedelta(milliseconds=min(milliseconds, LAST_INSTANT))).astimezone(zone)


def instant_text(milliseconds: int) -> str:
    """Return an instant as an ISO 8601 text: `2026-01-01T00:00:30.000Z`."""
    return moment(milliseconds).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
