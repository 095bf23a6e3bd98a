"""The effects of fault rules on calls: a closed set, each parsed from the document that a user writes."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Discriminator, Field, Tag, model_validator
from starlette.types import Scope

from foas_emulator.faults.wire import AbortedResponse
from foas_emulator.gateway.errors import INVALID, MISSING, THROTTLED_USER, ApiError, Problem, catalogue
from foas_emulator.gateway.evidence import INFERRED
from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.nulls import NullsLeftOut
from foas_emulator.showing import abridged, nearest
from foas_emulator.world.clock import WrittenDuration
from foas_emulator.world.durations import duration

_TEMPLATES = (MISSING, INVALID)
_EXPLANATION = "Specified signature is not matched with our calculation. server string to sign is:"

Caller = Callable[[], Awaitable[GatewayResponse]]
"""A function that calls the operation and returns its response; an error of the service is a response too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One call to which a rule applies.

    `response` is set if the call has already taken effect. `chance`, from 0 to 1, and `hint` belong to this application
    of the rule; `wait_ms` is the time for which a rate limit still refuses calls.
    """

    scope: Scope
    call: Caller
    stale_read: Caller
    response: GatewayResponse | None
    hint: str
    chance: float
    wait_ms: int

    async def respond(self) -> GatewayResponse:
        """Return the response of the call; make the call now unless it has already taken effect."""
        return await self.call() if self.response is None else self.response


class Effect(NullsLeftOut, ABC):
    """Base class of all effects."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @abstractmethod
    async def apply(self, invocation: Invocation) -> GatewayResponse:
        """Return the response for the client. Raise `ApiError` if it is an error."""


def find_problem(code: str) -> tuple[Problem, Mapping[str, str]] | None:
    """Return the catalogue's entry for a code and its arguments: `InvalidjobName` has the parameter jobName."""
    exact = catalogue().get(code)
    if exact is not None:
        return exact, {"explanation": _EXPLANATION}
    for template in _TEMPLATES:
        prefix = template.code.removesuffix("{parameter}")
        if code.startswith(prefix) and code.removeprefix(prefix).isidentifier():
            return template, {"parameter": code.removeprefix(prefix)}
    return None


def _check_code(code: str) -> str:
    if find_problem(code) is None:
        near = nearest(code, catalogue())
        raise ValueError(
            f"the catalogue has no error {abridged(code)}{near}; give status, code and message to make one up"
        )
    return code


class CatalogueError(Effect):
    """An error of the catalogue, in the gateway's exact form. `message` is required where it depends on the call."""

    error: Annotated[str, AfterValidator(_check_code)] = Field(
        description="A code of the catalogue.", examples=["Throttling.User"]
    )
    message: str | None = Field(
        default=None,
        max_length=10_000,
        description="Its text; the catalogue's if it is left out.",
        examples=["slow down"],
    )

    @model_validator(mode="after")
    def _check_message(self) -> Self:
        if self.message is None and "{" in self._error("").message:
            raise ValueError(f"the message of {self.error} depends on the call: give one as message")
        return self

    async def apply(self, invocation: Invocation) -> GatewayResponse:
        raise self._error(invocation.hint)

    def _error(self, hint: str) -> ApiError:
        found = find_problem(self.error)
        assert found is not None
        problem, arguments = found
        return (problem if self.message is None else replace(problem, message=self.message))(hint, **arguments)


class MadeUpError(Effect):
    """An error that the catalogue does not have."""

    status: int = Field(ge=400, le=599, description="Its status.", examples=[503])
    code: str = Field(min_length=1, max_length=200, description="Its code.", examples=["Busy"])
    message: str = Field(default="", max_length=10_000, description="Its text.", examples=["try again"])

    async def apply(self, invocation: Invocation) -> GatewayResponse:
        raise Problem(code=self.code, status=self.status, message=self.message, evidence=INFERRED)(invocation.hint)


def _check_range(latency: Any) -> Any:
    if isinstance(latency, list) and len(latency) != 2:  # noqa: PLR2004 - from, to
        raise ValueError("a range of latency has two durations")
    low, high = _range(latency)
    if low > high:
        raise ValueError("a range of latency goes from the shorter to the longer")
    return latency


def _range(latency: Any) -> tuple[int, int]:
    shortest, longest = latency if isinstance(latency, list) else (latency, latency)
    return duration(shortest), duration(longest)


class Latency(Effect):
    """A delay before the call takes effect or, `after_commit`, before its response is sent.

    It is one duration, or a list of the shortest and the longest.
    """

    latency: Annotated[str | float | list[str | float], BeforeValidator(_check_range)] = Field(
        description="The time, or a list of the shortest and the longest.", examples=["2s", ["100ms", "2s"]]
    )

    async def apply(self, invocation: Invocation) -> GatewayResponse:
        low, high = _range(self.latency)
        await asyncio.sleep((low + (high - low) * invocation.chance) / 1000)
        return await invocation.respond()


class Drop(Effect):
    """The connection is closed, and the client gets no byte."""

    drop: Literal[True] = Field(description="The connection is closed.", examples=[True])

    async def apply(self, invocation: Invocation) -> GatewayResponse:
        return AbortedResponse.unanswered(invocation.scope, reset=False)


class Reset(Effect):
    """The connection is reset, and the client gets no byte."""

    reset: Literal[True] = Field(description="The connection is reset.", examples=[True])

    async def apply(self, invocation: Invocation) -> GatewayResponse:
        return AbortedResponse.unanswered(invocation.scope, reset=True)


class Truncate(Effect):
    """The client gets this part of the body, announced at its full length, and then the connection is closed."""

    truncate: float = Field(ge=0, lt=1, description="The part of the body that is sent.", examples=[0.5])

    async def apply(self, invocation: Invocation) -> GatewayResponse:
        return AbortedResponse.cut(await invocation.respond(), invocation.scope, part=self.truncate)


class Duplicate(Effect):
    """The call takes effect twice, and the client gets the second response."""

    duplicate: Literal[True] = Field(description="The call takes effect twice.", examples=[True])

    async def apply(self, invocation: Invocation) -> GatewayResponse:
        await invocation.respond()
        return await invocation.call()


class Stale(Effect):
    """A read is answered as before the last call that changed the world while the rule was armed."""

    stale: Literal[True] = Field(description="A read is answered as before the last change.", examples=[True])

    async def apply(self, invocation: Invocation) -> GatewayResponse:
        return await invocation.stale_read()


def _check_per(value: str | float) -> str | float:
    if duration(value) == 0:
        raise ValueError("a limit over no time never applies")
    return value


class Rate(NullsLeftOut):
    """A number of calls in any period of a given length."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    calls: int = Field(ge=1, le=10_000, description="Number of calls that pass.", examples=[5])
    per: Annotated[WrittenDuration, AfterValidator(_check_per)]


class RateLimit(Effect):
    """`Throttling.User` for every call beyond the limit, which is measured in real time."""

    rate_limit: Rate = Field(
        description="Number of calls that pass in a period of time.", examples=[{"calls": 5, "per": "1s"}]
    )

    async def apply(self, invocation: Invocation) -> GatewayResponse:
        retry_after = {"x-acs-retry-after": str(invocation.wait_ms)}
        raise replace(THROTTLED_USER, headers=retry_after)(invocation.hint)


EFFECTS: Mapping[str, type[Effect]] = {
    "error": CatalogueError,
    "status": MadeUpError,
    "latency": Latency,
    "drop": Drop,
    "reset": Reset,
    "truncate": Truncate,
    "duplicate": Duplicate,
    "stale": Stale,
    "rate_limit": RateLimit,
}
"""Every effect, by the member that no other effect has."""


def _kind(effect: Any) -> str | None:
    members = effect if isinstance(effect, Mapping) else getattr(effect, "model_fields_set", ())
    return next((name for name in EFFECTS if name in members), None)


AnyEffect = Annotated[
    Annotated[CatalogueError, Tag("error")]
    | Annotated[MadeUpError, Tag("status")]
    | Annotated[Latency, Tag("latency")]
    | Annotated[Drop, Tag("drop")]
    | Annotated[Reset, Tag("reset")]
    | Annotated[Truncate, Tag("truncate")]
    | Annotated[Duplicate, Tag("duplicate")]
    | Annotated[Stale, Tag("stale")]
    | Annotated[RateLimit, Tag("rate_limit")],
    Discriminator(
        _kind,
        custom_error_type="unknown_effect",
        custom_error_message=f"there is no such effect; an effect has one of {', '.join(EFFECTS)}, "
        'such as {"error": "Throttling.User"}',
    ),
]
