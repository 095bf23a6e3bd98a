"""A fault rule as its user writes it, in a seed or to the control API, and whether it can ever apply."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from foas_emulator.faults.effects import EFFECTS, AnyEffect, CatalogueError, Stale, find_problem
from foas_emulator.gateway.operation import Operation
from foas_emulator.nulls import NullsLeftOut
from foas_emulator.patterns import CallPattern, require_parameters
from foas_emulator.world.clock import WrittenDuration
from foas_emulator.world.durations import duration


class FaultDocument(NullsLeftOut):
    """A fault rule.

    It lets the first `skip` calls that match pass, then applies with this `probability`, `times` times at most, until
    its `ttl` is over. `after_commit` applies to, and counts, only calls that succeeded: they have taken effect.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    match: CallPattern = Field(
        default=CallPattern(),
        description="Calls to which it applies; by default all.",
        examples=[{"operation": "StartJob"}],
    )
    effect: AnyEffect = Field(
        description=f"Effect on the call: one of {', '.join(EFFECTS)}.", examples=[{"error": "Throttling.User"}]
    )
    at: Literal["before", "after_commit"] = Field(
        default="before",
        description="Whether it applies before the call takes effect, or afterwards, to calls that succeeded.",
        examples=["before"],
    )
    skip: int = Field(
        default=0, ge=0, le=2**63 - 1, description="Number of matching calls that pass first.", examples=[1]
    )
    times: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = Field(
        default=None, description="Most times that it applies; by default without limit.", examples=[2]
    )
    probability: float = Field(
        default=1.0, gt=0, le=1, description="The chance that it applies to a matching call.", examples=[0.5]
    )
    ttl: WrittenDuration | None = None

    @model_validator(mode="after")
    def _check_ttl(self) -> Self:
        if self.ttl is not None and duration(self.ttl) == 0:
            raise ValueError("a rule whose ttl is 0 never applies")
        return self

    @model_validator(mode="after")
    def _check_stale(self) -> Self:
        if isinstance(self.effect, Stale) and self.at == "after_commit":
            raise ValueError("stale concerns reads, and a read commits nothing: leave at out")
        return self


def check_scope(document: FaultDocument, operations: Iterable[Operation]) -> None:
    """Raise ValueError for a rule that could never apply: an unknown operation or parameter, or a stale write."""
    meant = document.match.resolve(operations)
    require_parameters(_parameter_of_code(document), meant)
    if isinstance(document.effect, Stale) and all(operation.writes for operation in meant):
        raise ValueError(f"{document.match.operation} only writes, and stale concerns operations that read")


def _parameter_of_code(document: FaultDocument) -> Iterable[str]:
    if not isinstance(document.effect, CatalogueError):
        return ()
    found = find_problem(document.effect.error)
    return (found[1]["parameter"],) if found is not None and "parameter" in found[1] else ()
