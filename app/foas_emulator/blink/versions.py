"""Versions of the engine."""

import re

CURRENT = "blink-3.4.4"
"""The version of the documented instance, and of a job that names none."""
BETA = "blink-3.7.8"
INSTALLED = f"current--{CURRENT},beta--{BETA}"
"""The versions of a new cluster, each after its tag."""

_LONGEST = 128
"""The most characters of a version that are looked at: one may be a text of megabytes."""
_NUMBERS = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?")


def is_older(version: str, than: str) -> bool:
    """Whether a version is older than another. A version without a number, such as `beta`, is never older."""
    numbers, limit = _numbers(version), _numbers(than)
    return numbers is not None and limit is not None and numbers < limit


def _numbers(version: str) -> tuple[int, ...] | None:
    match = _NUMBERS.search(version, 0, _LONGEST)
    return None if match is None else tuple(int(number or 0) for number in match.groups())
