"""Parameters that the gateway lets pass and the service needs all the same."""

from typing import TypeVar

from foas_emulator.gateway.errors import invalid, missing

LONGEST_NAME = 128
"""Characters of a name. The service documents no pattern and no length; this length is inferred."""

T = TypeVar("T")


def given(parameter: str, value: T | None) -> T:
    """A value that must be there. Raises `Missing{parameter}`."""
    if value is None:
        raise missing(parameter)
    return value


def named(parameter: str, value: str | None) -> str:
    """A name that must be there and be one. Raises `Missing{parameter}` or `Invalid{parameter}`."""
    name = given(parameter, value)
    if not 1 <= len(name) <= LONGEST_NAME:
        raise invalid(parameter, f"a name has 1 to {LONGEST_NAME} characters, and this has {len(name)}.")
    return name
