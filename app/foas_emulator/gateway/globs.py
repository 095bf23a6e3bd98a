"""Globs that clients give, such as `Get*`: bounded, so that none of them takes long to compile or to match."""

import re
from fnmatch import translate
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator

LONGEST_GLOB = 256
LONGEST_TEXT = 10_000
"""Characters of a text that a glob is matched with; matching takes up to the product of both lengths."""

MOST_COMPILED = 2048
"""Globs that are kept compiled: more than one world's fault rules have, for each call is compared with all of them."""

_WILDCARDS = frozenset("*?[")


def check_glob(pattern: str) -> str:
    """Return a pattern that is exact, or a glob of at most `LONGEST_GLOB` characters. Raise ValueError otherwise."""
    if len(pattern) > LONGEST_GLOB and not _WILDCARDS.isdisjoint(pattern):
        raise ValueError(f"a glob has at most {LONGEST_GLOB} characters, and this one has {len(pattern)}")
    return pattern


Glob = Annotated[str, AfterValidator(check_glob)]
"""A text, or a glob: `*` stands for any characters, `?` for one, `[ab]` for one of these."""


def matches_glob(text: str, pattern: str) -> bool:
    """Whether a text is what an exact pattern says, or fits a glob. A longer text than `LONGEST_TEXT` only fits `*`."""
    if pattern in ("*", text):
        return True
    if _WILDCARDS.isdisjoint(pattern) or len(text) > LONGEST_TEXT:
        return False
    return _compiled(check_glob(pattern)).match(text) is not None


@lru_cache(maxsize=MOST_COMPILED)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))
