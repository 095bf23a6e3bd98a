"""Which calls are meant: an operation and values of its parameters, exactly or as globs."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ConfigDict, Field

from foas_emulator.gateway.globs import Glob, matches_glob
from foas_emulator.gateway.nulls import NullsLeftOut
from foas_emulator.gateway.operation import Operation
from foas_emulator.gateway.parameters import declared_parameters, read_text


class CallPattern(NullsLeftOut):
    """Matches calls of an operation with these parameters. Each value is exact, or a glob: `Get*`, `job?`, `[ab]*`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    operation: Glob = Field(
        default="*", description="The name of an operation, or a glob of names.", examples=["StartJob", "Get*"]
    )
    params: Mapping[str, Glob | int | bool] = Field(
        default={}, description="Values of its parameters, exact or as globs.", examples=[{"jobName": "job1"}]
    )

    def names(self, operation: str) -> bool:
        """Whether an operation of this name is meant."""
        return matches_glob(operation, self.operation)

    def differing(self, parameters: Mapping[str, Any]) -> list[str]:
        """The parameters that were not given, or not as a single value that fits."""
        return [name for name, value in self.params.items() if not _fits(parameters.get(name), read_text(value))]

    def resolve(self, operations: Iterable[Operation]) -> list[Operation]:
        """The operations that are meant. Raises ValueError if there are none, or none that has every parameter."""
        known = {operation.name: operation for operation in operations}
        meant = [operation for name, operation in known.items() if self.names(name)]
        if not meant:
            raise ValueError(f"there is no operation {self.operation!r}{_nearest(self.operation, known)}")
        require_parameters(self.params, meant)
        return meant


def require_parameters(names: Iterable[str], operations: Iterable[Operation]) -> None:
    """Raise ValueError for a name that is no parameter of any of these operations."""
    wanted = list(names)
    if not wanted:
        return
    known = {parameter.name for operation in operations for parameter in declared_parameters(operation.endpoint)}
    for name in wanted:
        if name not in known:
            raise ValueError(f"there is no parameter {name!r}{_nearest(name, known)}")


def _fits(value: Any, pattern: str) -> bool:
    try:
        return value is not None and matches_glob(read_text(value), pattern)
    except ValueError:
        return False


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (the nearest is {near[0]})" if near else ""
