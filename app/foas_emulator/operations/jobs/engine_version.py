"""What depends on the version of Blink that a job names."""

import re

from foas_emulator.gateway.errors import problem
from foas_emulator.gateway.evidence import documented

TOO_OLD = problem(
    "InvalidEngineVersion.TooOld",
    400,
    "blink version >= blink-{required} is required, instance {version}",
    documented("text of the console's page on stopping a job with a checkpoint; the code is inferred"),
)
_NUMBERS = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?")


def require_at_least(required: str, version: str, *, feature: str) -> None:
    """Refuse a feature to an older Blink. A version that holds no number, such as `beta`, is taken to be new enough.

    Raises `InvalidEngineVersion.TooOld`.
    """
    numbers = _read(version)
    if numbers is not None and numbers < (_read(required) or ()):
        raise TOO_OLD(
            f"{feature} needs Blink {required} or newer and the engine version is {version!r}; "
            "UpdateJob changes it, CommitJob puts it into force.",
            required=required,
            version=version,
        )


def _read(version: str) -> tuple[int, ...] | None:
    match = _NUMBERS.search(version)
    return None if match is None else tuple(int(number or 0) for number in match.groups())
