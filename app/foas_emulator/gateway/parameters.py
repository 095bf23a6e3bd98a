"""The types of parameters, and the parameters that an endpoint declares.

An endpoint declares its parameters in FastAPI's way (`Annotated[Int32 | None, Query(alias="pageSize")] = None`);
FastAPI binds and describes them; the pydantic types here parse texts as the gateway does.
"""

import inspect
import math
import re
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_type_hints

from fastapi import params
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator, Field

from foas_emulator.gateway.errors import ApiError, invalid, missing
from foas_emulator.masking import masked

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_SINGLE_VALUE = "it must be a single value, and JSON in it a text"
_LONGEST_SHOWN = 4000
"""The most characters of a wrong value to show."""
_VALUE_ERROR = "Value error, "
"""The prefix that pydantic puts before the text of a ValueError."""


def read_text(value: Any) -> str:
    """Return a parameter as text; convert a JSON value to its text in a form. Raise ValueError for a structure."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise ValueError(_SINGLE_VALUE)


def _integer(bits: int) -> Callable[[Any], int]:
    limit = 1 << (bits - 1)

    def read(value: Any) -> int:
        text = read_text(value)
        if _INTEGER.fullmatch(text) is None or not -limit <= int(text) < limit:
            raise ValueError(f"it must be an integer of {bits} bits")
        return int(text)

    return read


def _read_decimal(value: Any) -> float:
    text = read_text(value)
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError("it must be a decimal number")
    number = float(text)
    if math.isinf(number):
        raise ValueError("it must be a decimal number that is not too large")
    return number


def _read_flag(value: Any) -> bool:
    text = read_text(value).lower()
    if text not in ("true", "false"):
        raise ValueError("it must be true or false")
    return text == "true"


def _read_items(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ValueError("it must be a list of structures, as name.1.member=... in a form")
    return [{str(name): read_text(member) for name, member in item.items() if member is not None} for item in value]


def one_of(*allowed: str) -> BeforeValidator:
    """Accept one of a few words in any case; the parameter's value is the word as it is spelt here."""
    spelling = {word.lower(): word for word in allowed}

    def read(value: Any) -> str:
        text = read_text(value).lower()
        if text not in spelling:
            raise ValueError(f"it must be one of {', '.join(allowed)}")
        return spelling[text]

    return BeforeValidator(read)


REFUSED_WITHOUT: dict[str, Any] = {"x-gateway-required": False}
"""Schema extension of a parameter that is optional in the metadata but without which the service refuses a call."""
Int32 = Annotated[int, BeforeValidator(_integer(32)), Field(json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, BeforeValidator(_integer(64)), Field(json_schema_extra={"format": "int64"})]
Decimal = Annotated[float, BeforeValidator(_read_decimal), Field(json_schema_extra={"format": "float"})]
Flag = Annotated[bool, BeforeValidator(_read_flag)]
Items = Annotated[list[dict[str, str]], BeforeValidator(_read_items)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A declared parameter: its argument, its name on the wire, its place (path, query, form), if it is required."""

    argument: str
    name: str
    place: str
    required: bool
    refused_without: bool
    """Whether the gateway or the service refuses a call without it."""


@cache
def declared_parameters(endpoint: Callable[..., Any]) -> tuple[Parameter, ...]:
    """Return the wire parameters of an endpoint from its signature, without building its route."""
    hints = get_type_hints(endpoint, include_extras=True)
    return tuple(
        Parameter(
            argument=name,
            name=marker.alias or argument.name,
            place=type(marker).__name__.lower(),
            required=argument.default is inspect.Parameter.empty,
            refused_without=argument.default is inspect.Parameter.empty or _is_refused_without(marker),
        )
        for name, argument in inspect.signature(endpoint).parameters.items()
        if (marker := _marker(hints[name])) is not None
    )


def _marker(annotation: Any) -> params.Param | params.Form | None:
    metadata = getattr(annotation, "__metadata__", ())
    return next((entry for entry in metadata if isinstance(entry, params.Param | params.Form)), None)


def _is_refused_without(marker: params.Param | params.Form) -> bool:
    extra = marker.json_schema_extra
    return isinstance(extra, dict) and REFUSED_WITHOUT.items() <= extra.items()


_SENT_BY_SDKS = frozenset({"version", "servicecode", "regionid", "format"})
"""Parameters, in lower case, that SDKs add to every request."""


def unread(given: Iterable[str], declared: Container[str]) -> tuple[str, ...]:
    """Return the sorted names of the parameters that nothing reads, without those that SDKs add by themselves.

    SDKs also repeat some parameters in another case: such a repetition counts as read.
    """
    names = list(given)
    passed = _SENT_BY_SDKS.union(name.lower() for name in names if name in declared)
    return tuple(sorted(name for name in names if name.lower() not in passed))


def remarks(unread_names: Collection[str], declared: Iterable[str]) -> list[str]:
    """Return a sentence for each declared parameter of which a further value (`name[2]`), or a miscased one, came."""
    spelling = {name.lower(): name for name in declared}
    further = sorted(name for name in spelling.values() if f"{name}[2]" in unread_names)
    miscased = {spelling[name.lower()]: name for name in unread_names if name.lower() in spelling}
    return [
        *(f"{name} came more than once; only its first value was read." for name in further),
        *(f"{given} was not read: the parameter is {name}." for name, given in miscased.items()),
    ]


def parameter_error(refused: RequestValidationError) -> ApiError:
    """Return `Missing{parameter}` or `Invalid{parameter}` for the first parameter that FastAPI rejected."""
    for each in refused.errors():
        each.pop("ctx", None)  # what a validator raised: its frames refer to these errors, a cycle (see garbage.py)
    error = refused.errors()[0]
    name = str(error["loc"][1])
    if error["type"] == "missing":
        return missing(name)
    why = _SINGLE_VALUE if error["type"] == "string_type" else error["msg"].removeprefix(_VALUE_ERROR)
    value = masked(repr(error["input"])[:_LONGEST_SHOWN])
    return invalid(name, f"{value} is not valid; {why}.")
