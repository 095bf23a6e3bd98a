"""Typed wire parameters: how texts become values, and how an endpoint's signature says which it wants.

An endpoint declares its parameters in FastAPI's way (`Annotated[Int32 | None, Query(alias="pageSize")] = None`), so
FastAPI describes them; reading follows the gateway's own rules: one set of parameters whatever part of the request
they came in, `Missing{parameter}` and `Invalid{parameter}` in the parameter's own spelling.
"""

import inspect
import re
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from fastapi import params
from pydantic import Field

from foas_emulator.gateway.errors import invalid, missing

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Reader:
    """Marks an annotated type with the function that reads it from the wire; ValueError says what is wrong."""

    read: Callable[[Any], Any]


def read_text(value: Any) -> str:
    """A parameter's text. A value of a JSON body is written as a form would carry it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise ValueError("it must be a single value")


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
    return float(text)


def _read_flag(value: Any) -> bool:
    text = read_text(value).lower()
    if text not in ("true", "false"):
        raise ValueError("it must be true or false")
    return text == "true"


def _read_items(value: Any) -> list[dict[str, str]]:
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise ValueError("it must be a list of structures, as name.1.member=... in a form")
    return [{str(name): read_text(member) for name, member in item.items()} for item in value]


def one_of(*allowed: str) -> Reader:
    """Marks a text that is one of a few words, in any case; it is read in the spelling given here."""
    spelling = {word.lower(): word for word in allowed}

    def read(value: Any) -> str:
        text = read_text(value).lower()
        if text not in spelling:
            raise ValueError(f"it must be one of {', '.join(allowed)}")
        return spelling[text]

    return Reader(read)


Int32 = Annotated[int, Reader(_integer(32)), Field(json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Reader(_integer(64)), Field(json_schema_extra={"format": "int64"})]
Decimal = Annotated[float, Reader(_read_decimal)]
Flag = Annotated[bool, Reader(_read_flag)]
Items = Annotated[list[dict[str, str]], Reader(_read_items)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared parameter: its name in Python and on the wire, where it belongs, and how it is read."""

    argument: str
    name: str
    place: str
    read: Callable[[Any], Any]
    required: bool
    default: Any


def declared_parameters(endpoint: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The wire parameters in an endpoint's signature; its other arguments are the world and what else is handed in."""
    hints = get_type_hints(endpoint, include_extras=True)
    return tuple(
        _parameter(argument, hints[name], argument.default)
        for name, argument in inspect.signature(endpoint).parameters.items()
        if _marker(hints[name]) is not None
    )


def _marker(annotation: Any) -> params.Param | params.Form | None:
    metadata = getattr(annotation, "__metadata__", ())
    return next((entry for entry in metadata if isinstance(entry, params.Param | params.Form)), None)


def _parameter(argument: inspect.Parameter, annotation: Any, default: Any) -> Parameter:
    marker = _marker(annotation)
    assert marker is not None
    required = default is inspect.Parameter.empty
    return Parameter(
        argument=argument.name,
        name=marker.alias or argument.name,
        place=type(marker).__name__.lower(),
        read=_reader(annotation) or read_text,
        required=required,
        default=None if required else default,
    )


def _reader(annotation: Any) -> Callable[[Any], Any] | None:
    for entry in getattr(annotation, "__metadata__", ()):
        if isinstance(entry, Reader):
            return entry.read
    if get_origin(annotation) in (Annotated, Union, UnionType):
        return next((read for part in get_args(annotation) if (read := _reader(part)) is not None), None)
    return None


_SENT_BY_SDKS = frozenset({"version", "servicecode", "regionid", "format"})
"""Parameters, in lower case, that SDKs send with every request, whatever is asked."""


def unread(given: Iterable[str], declared: Container[str]) -> tuple[str, ...]:
    """Return the names of the parameters that nothing reads, sorted, without what SDKs send unasked.

    They send some with every request, and some a second time in another case; the latter counts as read with its twin.
    """
    names = list(given)
    passed = _SENT_BY_SDKS.union(name.lower() for name in names if name in declared)
    return tuple(sorted(name for name in names if name not in declared and name.lower() not in passed))


def bind(declared: tuple[Parameter, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of an endpoint from the parameters of a request.

    An absent parameter takes its default, or raises `Missing{parameter}`; an unreadable one `Invalid{parameter}`.
    """
    arguments = {}
    for parameter in declared:
        value = given.get(parameter.name)
        if value is None:
            if parameter.required:
                raise missing(parameter.name)
            arguments[parameter.argument] = parameter.default
            continue
        try:
            arguments[parameter.argument] = parameter.read(value)
        except ValueError as error:
            raise invalid(parameter.name, f"{value!r} does not do; {error}.") from None
    return arguments
