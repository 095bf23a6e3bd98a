"""The names that worlds can have, and the errors for names and numbers of worlds that cannot be."""

import re

DEFAULT = "default"
"""The world of a request that names none. It never expires."""

_LONGEST_SHOWN = 200
"""The most characters of a wrong name to show: to escape a million of them takes five milliseconds."""

NAME = "[a-z0-9][a-z0-9_-]{0,63}"
"""The pattern of the names that worlds can have."""
_NAME = re.compile(NAME)


class WorldNameError(ValueError):
    """A name that no world can have."""

    def __init__(self, name: str) -> None:
        shown = name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}..."
        super().__init__(
            f"{shown!r} cannot name a world: use 1 to 64 of a-z, 0-9, _ and -, beginning with a letter or digit."
        )


class WorldLimitError(Exception):
    """As many worlds are open as may be open at a time."""


def check_name(name: str) -> None:
    """Raise `WorldNameError` for a name that no world can have."""
    if _NAME.fullmatch(name) is None:
        raise WorldNameError(name)
