"""Requirements of the service on parameters that the gateway accepts, and on the engine version of a job."""

import re
from collections.abc import Callable
from typing import TypeVar

from foas_emulator.blink.versions import is_older
from foas_emulator.gateway.errors import invalid, missing, problem
from foas_emulator.gateway.evidence import documented

LONGEST_NAME = 128
"""The most characters of a name. The service documents neither a pattern nor a length; this length is inferred."""

MOST_NAMES = 1000
"""The most entries of a parameter that lists several; each costs a statement or two. The number is ours."""

TOO_OLD = problem(
    "InvalidEngineVersion.TooOld",
    400,
    "blink version >= blink-{required} is required, instance {version}",
    documented("text of the console's page on stopping a job with a checkpoint; the code is inferred"),
)

_ZONE = re.compile("([a-z]+-[a-z0-9-]+?)(?:-|(?<=[0-9]))[a-z]")
"""A zone: the name of its region, a hyphen unless that ends with a digit, and a letter."""

T = TypeVar("T")
U = TypeVar("U")


def given(parameter: str, value: T | None) -> T:
    """Return a required value. Raise `Missing{parameter}` if it is None."""
    if value is None:
        raise missing(parameter)
    return value


def named(parameter: str, value: str | None) -> str:
    """Return a required name. Raise `Missing{parameter}`, or `Invalid{parameter}` if it is empty or too long."""
    name = given(parameter, value)
    if not 1 <= len(name) <= LONGEST_NAME:
        raise invalid(parameter, f"a name has 1 to {LONGEST_NAME} characters, and this has {len(name)}.")
    return name


def listed(parameter: str, text: str) -> list[str]:
    """Return the names in a text with commas between them, each once. Raise `Invalid{parameter}` for too many."""
    check_count(parameter, text.count(",") + 1)
    return list(dict.fromkeys(name.strip() for name in text.split(",")))


def check_count(parameter: str, count: int, *, most: int = MOST_NAMES) -> None:
    """Raise `Invalid{parameter}` for more than `most` entries."""
    if count > most:
        raise invalid(parameter, f"{count} are more than the {most} that one call may hold.")


def region_of(parameter: str, zone_id: str) -> str:
    """Return the region of a zone, which is a region plus a letter (documented). Raise `Invalid{parameter}`."""
    match = _ZONE.fullmatch(zone_id)
    if match is None:
        raise invalid(
            parameter, f"{zone_id!r} is not a region plus a letter, such as cn-hangzhou-f or ap-southeast-1a."
        )
    return match[1]


def readable(parameter: str, read: Callable[[T], U], value: T) -> U:
    """Return the result of `read` for a value. Raise `Invalid{parameter}` with the text of its ValueError."""
    try:
        return read(value)
    except ValueError as error:
        raise invalid(parameter, f"{error}.") from None


def require_engine(required: str, version: str, *, feature: str) -> None:
    """Raise `InvalidEngineVersion.TooOld` if Blink is too old for a feature; a version without a number never is."""
    if is_older(version, required):
        raise TOO_OLD(
            f"{feature} needs Blink {required} or newer and the engine version is {version!r}; "
            "UpdateJob changes it, CommitJob puts it into force.",
            required=required,
            version=version,
        )
