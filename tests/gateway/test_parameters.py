import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from fastapi import Depends, Form, Path, Query
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.gateway.errors import ApiError
from foas_emulator.gateway.formats import ApiResponse, Format
from foas_emulator.gateway.parameters import Decimal, Flag, Int32, Int64, Items, declared_parameters, one_of, read_text
from foas_emulator.gateway.responses import GatewayResponse
from foas_emulator.gateway.routes import OperationRoute


async def world_of() -> str:
    return "w"


async def endpoint(
    world: Annotated[str, Depends(world_of)],
    project_name: Annotated[str, Path(alias="projectName")],
    *,
    wide: Annotated[Int64 | None, Query()] = None,
    narrow: Annotated[Int32, Query(alias="pageIndex")] = 1,
    flag: Annotated[Flag | None, Form(alias="isOpen")] = None,
    decimal: Annotated[Decimal | None, Query()] = None,
    tags: Annotated[Items | None, Form(alias="Tags")] = None,
    kind: Annotated[Annotated[Literal["JAR", "Python"], one_of("JAR", "Python")] | None, Form(alias="type")] = None,
    text: Annotated[str | None, Form()] = None,
) -> "Answer":
    arguments = dict(locals())
    assert arguments.pop("world") == "w"
    return Answer(arguments={name: value for name, value in arguments.items() if value is not None})


class Answer(ApiResponse):
    """What the endpoint was called with."""

    arguments: dict[str, Any]


@dataclass
class Given:
    """A call of the endpoint with these parameters."""

    parameters: Mapping[str, Any]
    world: Any = None
    format: Format = "json"
    unread: tuple[str, ...] = ()
    response: GatewayResponse | None = None
    warnings: list[str] = field(default_factory=list)

    def warn(self, sentences: Iterable[str]) -> None:
        self.warnings += sentences


ROUTE = OperationRoute("/p/{projectName}", endpoint, methods=["GET"], name="Endpoint")


def call(given_: Mapping[str, Any]) -> Given:
    """Have FastAPI serve a call of the endpoint."""
    made = Given(given_)
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/p/p",
        "query_string": b"",
        "headers": [],
        "state": {"call": made},
    }

    async def never(*_: Any) -> Any:
        raise AssertionError("a route reads no body and sends nothing")

    asyncio.run(AsyncExitStackMiddleware(ROUTE.app)(scope, never, never))
    return made


def read(**given_: Any) -> dict[str, Any]:
    """The arguments that the endpoint gets for these parameters."""
    response = call({"projectName": "p", **given_}).response
    assert response is not None
    return dict(json.loads(response.content.with_request_id(b""))["Arguments"])


def test_signature_tells_name_place_and_need_of_every_parameter_but_not_of_what_is_handed_in() -> None:
    declared = declared_parameters(endpoint)
    assert [(each.argument, each.name, each.place, each.required) for each in declared[:4]] == [
        ("project_name", "projectName", "path", True),
        ("wide", "wide", "query", False),
        ("narrow", "pageIndex", "query", False),
        ("flag", "isOpen", "form", False),
    ]


def test_parameters_that_no_argument_takes_are_unread() -> None:
    assert call({"projectName": "p", "wide": "1", "b": "", "a": {}}).unread == ("a", "b")


def test_a_further_value_of_a_parameter_is_warned_of_and_one_of_what_nothing_reads_is_not() -> None:
    made = call({"projectName": "p", "wide": "1", "wide[2]": "2", "wide[3]": "3", "other": "", "other[2]": ""})
    assert made.warnings == ["wide came more than once; only its first value was read."]
    assert call({"projectName": "p", "other": "1"}).warnings == []


def test_a_parameter_in_another_case_is_warned_of_unless_its_own_came_too() -> None:
    """SDKs repeat some parameters in another case, with the same value."""
    assert call({"projectName": "p", "WIDE": "1"}).warnings == ["WIDE was not read: the parameter is wide."]
    assert call({"projectName": "p", "wide": "1", "WIDE": "1"}).warnings == []


def test_absent_parameters_take_their_defaults() -> None:
    assert read() == {"project_name": "p", "narrow": 1}


def test_null_of_a_json_body_is_an_absent_parameter() -> None:
    assert read(pageIndex=None, text=None) == read()


def test_absent_required_parameter_is_missing_in_its_own_spelling() -> None:
    with pytest.raises(ApiError) as refusal:
        call({"projectname": "p"})
    assert refusal.value.code == "MissingprojectName"
    assert refusal.value.message == "projectName is mandatory for this action."


@pytest.mark.parametrize(
    ("parameter", "value", "meaning"),
    [
        ("wide", "9223372036854775807", 2**63 - 1),
        ("wide", "-9223372036854775808", -(2**63)),
        ("wide", "007", 7),
        ("wide", 5, 5),
        ("pageIndex", "2147483647", 2**31 - 1),
        ("pageIndex", "-2147483648", -(2**31)),
        ("isOpen", "true", True),
        ("isOpen", "FALSE", False),
        ("isOpen", "True", True),
        ("isOpen", True, True),
        ("decimal", "1.50", 1.5),
        ("decimal", "-3", -3.0),
        ("decimal", "1e3", 1000.0),
        ("decimal", 2, 2.0),
        ("type", "jar", "JAR"),
        ("type", "PYTHON", "Python"),
        ("Tags", [{"Key": "k", "Value": 1}], [{"Key": "k", "Value": "1"}]),
        ("text", "", ""),
        ("text", False, "false"),
        ("text", 1.5, "1.5"),
    ],
)
def test_text_becomes_its_value(parameter: str, value: Any, meaning: Any) -> None:
    argument = next(each.argument for each in declared_parameters(endpoint) if each.name == parameter)
    assert read(**{parameter: value})[argument] == meaning


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("wide", "9223372036854775808"),
        ("wide", "-9223372036854775809"),
        ("wide", "12345678901234567890123"),
        ("wide", ""),
        ("wide", " 1"),
        ("wide", "+1"),
        ("wide", "1.0"),
        ("wide", "0x1"),
        ("wide", "1_000"),
        ("wide", "١"),
        ("wide", True),
        ("wide", 1.5),
        ("pageIndex", "2147483648"),
        ("pageIndex", "-2147483649"),
        ("isOpen", "yes"),
        ("isOpen", "1"),
        ("isOpen", ""),
        ("decimal", "nan"),
        ("decimal", "inf"),
        ("decimal", "1e400"),
        ("decimal", "-1e999"),
        ("decimal", "1."),
        ("decimal", ""),
        ("type", "WHEEL"),
        ("Tags", "text"),
        ("Tags", ["text"]),
        ("Tags", [{"Key": {}}]),
        ("text", {}),
        ("text", ["a"]),
    ],
)
def test_anything_else_is_invalid_in_the_parameters_own_spelling(parameter: str, value: Any) -> None:
    with pytest.raises(ApiError) as refusal:
        read(**{parameter: value})
    assert refusal.value.code == f"Invalid{parameter}"
    assert refusal.value.message == f"Specified parameter {parameter} is not valid."
    given_ = read_text(value) if isinstance(value, bool | float) else value
    assert refusal.value.hint.startswith(f"{parameter}: {given_!r} is not valid; it must be ")


def test_hint_of_a_word_that_is_not_allowed_names_those_that_are() -> None:
    with pytest.raises(ApiError, match=r"it must be one of JAR, Python\."):
        read(type="WHEEL")


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_integer_of_64_bits_is_read(number: int) -> None:
    assert read(wide=str(number))["wide"] == number


@given(st.text())
def test_no_text_makes_a_reader_fail_otherwise_than_by_refusing(text: str) -> None:
    for parameter in ("wide", "pageIndex", "isOpen", "decimal", "type", "Tags"):
        with suppress(ApiError):
            read(**{parameter: text})
