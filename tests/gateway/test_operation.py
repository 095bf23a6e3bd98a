from threading import Thread
from typing import Any

import pytest

from foas_emulator.gateway.errors import ApiError
from foas_emulator.gateway.evidence import DOCUMENTED
from foas_emulator.gateway.formats import ApiResponse
from foas_emulator.gateway.operation import LONGEST_KEPT, Group, OperationIndex, decode_segment
from foas_emulator.operations.catalogue import OPERATIONS

group = Group("things")


@group.reads("ListThing", "GET", "/things", evidence=DOCUMENTED)
async def list_things() -> None: ...


@group.writes("CreateThing", "POST", "/things", evidence=DOCUMENTED)
async def create_thing() -> None: ...


@group.reads("GetThing", "GET", "/things/{name}", evidence=DOCUMENTED)
async def get_thing() -> None: ...


@group.reads("GetPart", "GET", "/things/{name}/parts/{part}", evidence=DOCUMENTED)
async def get_part() -> None: ...


@group.reads("CountThings", "GET", "/things/count", evidence=DOCUMENTED)
async def count_things() -> None: ...


@group.reads("GetOwner", "GET", "/things/{name}/owner", evidence=DOCUMENTED)
async def get_owner() -> None: ...


INDEX = OperationIndex(group.declared)


def test_routes_that_two_threads_build_at_a_time_are_each_their_own() -> None:
    class Interrupted(Group):
        def add_api_route(self, path: str, *arguments: Any, **options: Any) -> None:
            super().add_api_route(path, *arguments, **options)
            if path == "/first":
                other.start()
                other.join(timeout=0.2)  # it adds its own route after this one

    twofold = Interrupted("twofold")
    for name in ("first", "second"):
        twofold.reads(name, "GET", f"/{name}", evidence=DOCUMENTED)(answer)
    first, second = twofold.declared
    other = Thread(target=twofold.build, args=[second])  # until Python 3.12 a cached property has a lock
    built = twofold.build(first)
    other.join()
    assert (built.path, second.route.path) == ("/first", "/second")
    assert [operation.route for operation in twofold.declared] == twofold.routes


async def answer() -> ApiResponse:
    return ApiResponse()


def found(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    match = INDEX.find(method, path)
    return None if match is None else (match.operation.name, dict(match.parameters))


def test_declaration_carries_all_that_was_said() -> None:
    by_name = INDEX.operations
    assert by_name["CreateThing"].writes
    assert not by_name["ListThing"].writes
    assert by_name["GetThing"].group == "things"
    assert by_name["GetThing"].endpoint is get_thing


def test_method_and_path_find_the_operation() -> None:
    assert found("GET", "/things") == ("ListThing", {})
    assert found("POST", "/things") == ("CreateThing", {})
    assert found("GET", "/things/a/parts/b") == ("GetPart", {"name": "a", "part": "b"})


def test_literal_segment_goes_before_a_placeholder_which_still_serves_what_lies_deeper() -> None:
    assert found("GET", "/things/count") == ("CountThings", {})
    assert found("GET", "/things/count/owner") == ("GetOwner", {"name": "count"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/things"),
        ("get", "/things"),
        ("GET", "/things/"),
        ("GET", "//things"),
        ("GET", "/things//parts/b"),
        ("GET", "/things/a/parts"),
        ("GET", "/things/a/parts/b/c"),
        ("GET", "/Things"),
        ("GET", "/"),
        ("GET", ""),
        ("OPTIONS", "*"),
        ("GET", "/%74hings"),
        ("GET", "/nothing/%zz"),
    ],
)
def test_anything_else_finds_nothing(method: str, path: str) -> None:
    assert found(method, path) is None


@pytest.mark.parametrize(
    ("segment", "value"),
    [
        ("a%2Fb", "a/b"),
        ("%E4%B8%AD%E6%96%87", "中文"),
        ("a+b", "a+b"),
        ("%252F", "%2F"),
        ("%20x%20", " x "),
        ("\xe4\xb8\xad", "中"),
        ("%F0%9F%8E%88", "🎈"),
        ("a%00b", "a\x00b"),
    ],
)
def test_segment_is_decoded_once_as_utf8(segment: str, value: str) -> None:
    assert found("GET", f"/things/{segment}/parts/b") == ("GetPart", {"name": value, "part": "b"})


@pytest.mark.parametrize("segment", ["%", "%4", "%zz", "%E4", "%E4%B8", "%ED%A0%80", "%C0%AF", "%FF", "\xff"])
def test_segment_that_is_no_utf8_or_a_broken_escape_is_malformed(segment: str) -> None:
    with pytest.raises(ApiError) as refusal:
        found("GET", f"/things/{segment}")
    assert refusal.value.code == "RequestParameterMalformed"
    assert repr(segment) in refusal.value.hint


def test_text_without_escapes_is_returned_as_it_is() -> None:
    text = "plain"
    assert decode_segment(text) is text


def test_only_short_paths_are_remembered() -> None:
    index = OperationIndex(OPERATIONS)
    for number in range(10):
        assert index.find("GET", f"/api/v2/projects/{number}") is not None
        assert index.find("GET", f"/api/v2/projects/{number}" + "x" * LONGEST_KEPT) is not None
        assert index.find("GET", f"/nothing/{number}" + "x" * LONGEST_KEPT) is None
    assert index._find_short.cache_info().currsize == 10


def test_every_operation_of_the_service_is_found_at_its_own_place() -> None:
    index = OperationIndex(OPERATIONS)
    assert len(index.operations) == len(OPERATIONS)
    for operation in OPERATIONS:
        values = {segment[1:-1]: f"v{number}" for number, segment in enumerate(operation.segments) if segment[0] == "{"}
        path = operation.path
        for name, value in values.items():
            path = path.replace("{" + name + "}", value)
        match = index.find(operation.method, path)
        assert match is not None
        assert (match.operation, match.parameters) == (operation, values)
