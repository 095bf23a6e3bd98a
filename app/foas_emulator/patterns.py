"""Patterns of calls: an operation and values of its parameters, exact or as globs such as `Get*`.

Fault rules and expectations on the journal are written with them. Globs are bounded, so that none takes long to compile
or to match.
"""

import re
from collections.abc import Iterable, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field

from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import declared_parameters, read_text
from foas_emulator.nulls import NullsLeftOut
from foas_emulator.showing import abridged, nearest

LONGEST_GLOB = 256
LONGEST_GLOBS = 1024
"""The most characters of all globs of a pattern's parameters together."""
LONGEST_TEXT = 10_000
"""The most characters of a text to match with a glob; matching takes time up to the product of both lengths."""

MOST_COMPILED = 2048
"""The most compiled globs to cache: more than the fault rules of a world have, since each call is compared with all."""


def _is_glob(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern or "[" in pattern  # one search each, as an exact text may have megabytes


def check_glob(pattern: str) -> str:
    """Return a pattern that is exact, or a glob of at most `LONGEST_GLOB` characters. Raise ValueError otherwise."""
    if len(pattern) > LONGEST_GLOB and _is_glob(pattern):
        raise ValueError(f"a glob has at most {LONGEST_GLOB} characters, and this one has {len(pattern)}")
    return pattern


Glob = Annotated[str, AfterValidator(check_glob)]
"""A text, or a glob: `*` matches any characters, `?` one, `[ab]` one of these."""


def matches_glob(text: str, pattern: str) -> bool:
    """Whether a text equals an exact pattern or matches a glob. One longer than `LONGEST_TEXT` only matches `*`."""
    if pattern in ("*", text):
        return True
    if len(text) > LONGEST_TEXT or not _is_glob(pattern):
        return False
    return _compiled(check_glob(pattern)).match(text) is not None


@lru_cache(maxsize=MOST_COMPILED)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def length_of_globs(params: Mapping[str, str | int]) -> int:
    """Return how many characters the globs among the values of parameters have together."""
    return sum(len(each) for each in params.values() if isinstance(each, str) and _is_glob(each))


def _check_globs(params: Mapping[str, str | int]) -> Mapping[str, str | int]:
    if length_of_globs(params) > LONGEST_GLOBS:
        raise ValueError(f"the globs of one pattern have at most {LONGEST_GLOBS} characters together")
    return params


class CallPattern(NullsLeftOut):
    """A pattern of calls of an operation with these parameters; values are exact, or globs: `Get*`, `job?`, `[ab]*`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    operation: Glob = Field(
        default="*", description="The name of an operation, or a glob of names.", examples=["StartJob", "Get*"]
    )
    params: Annotated[Mapping[str, Glob | int | bool], AfterValidator(_check_globs)] = Field(
        default={}, description="Values of its parameters, exact or as globs.", examples=[{"jobName": "job1"}]
    )

    def names(self, operation: str) -> bool:
        """Whether the pattern matches an operation of this name."""
        return matches_glob(operation, self.operation)

    def differing(self, parameters: Mapping[str, Any]) -> list[str]:
        """Return the parameters that are missing, or whose value is not a single value that matches."""
        return [name for name, value in self.params.items() if not _fits(parameters.get(name), read_text(value))]

    def resolve(self, operations: Iterable[Operation]) -> list[Operation]:
        """Return the operations that match. Raise ValueError if there is none, or none of them has a parameter."""
        known = {operation.name: operation for operation in operations}
        meant = [operation for name, operation in known.items() if self.names(name)]
        if not meant:
            raise ValueError(f"there is no operation {abridged(self.operation)}{nearest(self.operation, known)}")
        require_parameters(self.params, meant)
        return meant


def require_parameters(names: Iterable[str], operations: Iterable[Operation]) -> None:
    """Raise ValueError for a name that is not a parameter of any of these operations."""
    wanted = list(names)
    if not wanted:
        return
    known = {parameter.name for operation in operations for parameter in declared_parameters(operation.endpoint)}
    for name in wanted:
        if name not in known:
            raise ValueError(f"there is no parameter {abridged(name)}{nearest(name, known)}")


def _fits(value: Any, pattern: str) -> bool:
    try:
        return value is not None and matches_glob(read_text(value), pattern)
    except ValueError:
        return False
