import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.gateway import bodies
from foas_emulator.gateway.errors import ApiError
from foas_emulator.gateway.formats import Body
from foas_emulator.journal.calls import Call
from foas_emulator.journal.coverage import Usage
from foas_emulator.json_bounds import MAX_DEPTH
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.operations.folders.rows import Folder
from foas_emulator.pipeline import read_body
from foas_emulator.pipeline.find_operation import MAX_PARAMETERS
from foas_emulator.pipeline.read_body import (
    _STRING_OR_MARK,
    MAX_VALUES,
    _has_too_many_values,
    _without_escapes,
    fold_lists,
    read_parameters,
)
from foas_emulator.world.clock import Reading
from foas_emulator.world.tables import equal
from tests.api import Api, open_api
from tests.operations import building
from tests.wire import Heard, ask

FORM = "application/x-www-form-urlencoded"
FOLDERS = "/api/v2/projects/demo/folders"


@pytest.fixture
def served() -> Iterator[Api]:
    with open_api(max_body=1000) as opened:
        yield opened


def create(served: Api, body: bytes | Sequence[bytes] | None, content_type: str | None = FORM, **headers: str) -> Heard:
    given_ = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        given_["content-type"] = content_type
    return ask(served.app, FOLDERS, method="POST", headers=given_, body=body)


def exists(served: Api, path: str) -> bool:
    return served.world.store.get(Folder, equal(Folder.project_name, "demo"), equal(Folder.path, path)) is not None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"path=/new%20%E4%B8%AD", FORM),
        (b"path=/new+%E4%B8%AD", "application/x-www-form-urlencoded; charset=UTF-8"),
        (b"path=/new+%E4%B8%AD", "Application/X-WWW-Form-Urlencoded"),
        ("path=/new 中".encode(), FORM),
        ("path=/new%20中".encode(), FORM),
        (b"path=/new+%E4%B8%AD", None),
        (b"path=/new+%E4%B8%AD", "application/octet-stream"),
        ('{"path": "/new 中"}'.encode(), "application/json"),
        (b'{"path": "/new \\u4e2d"}', "application/json; charset=utf-8"),
        ('\n {"path": "/new 中"}'.encode(), None),
        ('{"path": "/new 中"}'.encode(), "application/octet-stream"),
        ('{"path": "/new 中"}'.encode(), "Application/JSON"),
        ('{"path": "/new 中"}'.encode("utf-8-sig"), "application/json"),
        ("path=/new 中".encode("utf-8-sig"), FORM),
    ],
)
def test_form_json_and_untyped_bodies_give_the_same_parameters(
    served: Api, body: bytes, content_type: str | None
) -> None:
    heard = create(served, body, content_type)
    assert heard.status == 200, heard.text
    assert exists(served, "/new 中")


def test_chunked_body_is_read_whole(served: Api) -> None:
    assert create(served, [b"pa", b"th=/ch", b"", b"unked"]).status == 200
    assert exists(served, "/chunked")


@pytest.mark.parametrize("body", [None, b"", [b""], b"  \n"])
def test_empty_body_gives_no_parameters(served: Api, body: Any) -> None:
    assert create(served, body).code == "Missingpath"


def test_null_is_what_generated_clients_send_for_no_body(served: Api) -> None:
    assert create(served, b"null", "application/json").code == "Missingpath"


def test_content_length_of_0_on_a_read_is_no_body(served: Api) -> None:
    assert ask(served.app, headers={"content-length": "0", "content-type": FORM}).status == 200


def test_body_of_just_the_limit_is_read_and_one_byte_more_is_not(served: Api) -> None:
    assert create(served, b"path=/x&y=" + b"z" * 990).status == 200
    heard = create(served, b"path=/y&y=" + b"z" * 991)
    assert (heard.status, heard.code) == (413, "RequestEntityTooLarge")
    assert not exists(served, "/y")


def test_chunked_body_over_the_limit_is_refused_before_it_has_ended(served: Api) -> None:
    endless = [b"path=/x&y="] + [b"z" * 600] * 2 + [b"never read"] * 1000
    assert create(served, endless).status == 413


def test_announced_length_over_the_limit_is_refused_unread(served: Api) -> None:
    assert create(served, b"", content_length="1001").status == 413


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"path=/x", "application/json"),
        (b"[]", "application/json"),
        (b'"text"', "application/json"),
        (b"[" * 900, "application/json"),
        (b'{"path": "\\ud800"}', "application/json"),
        (b'{"\\udfff": "x"}', "application/json"),
        (b'{"path": {"deep": ["\\udc00"]}}', "application/json"),
        (b'{"path": NaN', None),
        (b'{"path": NaN}', None),
        (b'{"path": 1e400}', "application/json"),
        (b'{"path": "/x", "unread": [{"deep": -Infinity}]}', "application/json"),
        (b"path=%zz", FORM),
        (b"path=%E4%B8", FORM),
        (b"path=%ED%A0%80", FORM),
        (b"path=\xff", FORM),
        (b"\xff\xfe{", None),
        (b'{"path": "\xed\xa0\x80"}', "application/json"),
    ],
)
def test_body_that_is_not_what_it_says_is_malformed(served: Api, body: bytes, content_type: str | None) -> None:
    heard = create(served, body, content_type)
    assert (heard.status, heard.code) == (400, "RequestParameterMalformed")


def test_query_goes_before_the_body_and_the_path_before_both(served: Api) -> None:
    heard = ask(
        served.app,
        f"{FOLDERS}?path=/query",
        method="POST",
        headers={"content-type": FORM},
        body=b"path=/body&projectName=project1",
    )
    assert heard.status == 200
    assert exists(served, "/query")
    assert not exists(served, "/body")


def test_list_members_are_folded_in_order_of_their_numbers() -> None:
    pairs = {"Tags.2.Key": "b", "Tags.10.Key": "c", "Tags.1.Key": "a", "Tags.1.Value": "1", "plain": "x", "a.b": "y"}
    assert fold_lists(pairs) == {
        "plain": "x",
        "a.b": "y",
        "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b"}, {"Key": "c"}],
    }


def test_bodies_that_are_arriving_share_their_bytes_and_the_one_that_has_waited_longest_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read_body, "MOST_ARRIVING", 1000)
    monkeypatch.setattr(bodies, "SMALL", 100)
    monkeypatch.setattr(bodies, "UNCOUNTED", 0)
    stage = read_body.ReadBody(limit=2000)

    class Client:
        """Sends a body in pieces; its context is what the stage gets."""

        def __init__(self) -> None:
            self.pieces: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
            headers = {"transfer-encoding": "chunked"}
            self.context: Any = SimpleNamespace(headers=headers, parameters={}, receive=self.receive)
            self.read = asyncio.ensure_future(stage(self.context))  # type: ignore[arg-type]

        async def receive(self) -> dict[str, Any]:
            body, more = await self.pieces.get()
            return {"type": "http.request", "body": body, "more_body": more}

        async def send(self, size: int, *, more: bool = True) -> None:
            self.pieces.put_nowait((b"x" * size, more))
            await asyncio.sleep(0.01)

        async def complete(self) -> int:
            await self.send(0, more=False)
            await asyncio.wait_for(self.read, 5)
            return len(self.context.body)

    async def crowd() -> None:
        first, second, small, third = Client(), Client(), Client(), Client()
        await first.send(400)
        await second.send(500)
        await small.send(100)
        await first.send(0)
        await third.send(101)
        with pytest.raises(ApiError) as refused:
            await asyncio.wait_for(second.read, 5)
        assert refused.value.code == "ServiceUnavailable"
        assert "1000 bytes together" in refused.value.hint
        assert [await each.complete() for each in (small, first, third)] == [100, 400, 101]
        alone = Client()
        await alone.send(1900)
        assert await alone.complete() == 1900

    asyncio.run(crowd())


@pytest.mark.parametrize("name", ["Tags.0.Key", "Tags.01.Key", "Tags.10000.Key", "Tags.x.Key", "Tags.1", "Tags.1.a.b"])
def test_name_that_only_looks_like_a_list_member_is_a_name(name: str) -> None:
    assert fold_lists({name: "v"}) == {name: "v"}


@given(st.binary(max_size=200), st.sampled_from(["", FORM, "application/json", "text/plain"]))
def test_no_bytes_make_reading_fail_otherwise_than_by_refusing(body: bytes, content_type: str) -> None:
    with suppress(ApiError):
        json.dumps(dict(read_parameters(body, content_type)), ensure_ascii=False).encode()


@given(st.dictionaries(st.text(), st.text()))
def test_json_object_of_texts_is_read_as_it_is_unless_it_holds_half_a_pair(document: dict[str, str]) -> None:
    assert dict(read_parameters(json.dumps(document).encode(), "application/json")) == document


@pytest.mark.parametrize(
    ("body", "content_type", "came"),
    [
        (b'{"path": "/x"}', FORM, "came as a form but looks like JSON"),
        (
            b'--x\r\ncontent-disposition: form-data; name="path"\r\n\r\n/x\r\n--x--',
            "multipart/form-data; boundary=x",
            "multipart/form-data",
        ),
        (b"<path>/x</path>", "application/xml", "came as application/xml"),
        (b"<path>/x</path>", "text/xml;charset=utf-8", "came as text/xml"),
        (b"<path>/x</path>", None, "came as XML"),
    ],
)
def test_a_body_of_a_type_that_is_not_read_is_named_where_its_parameters_are_missing(
    served: Api, body: bytes, content_type: str | None, came: str
) -> None:
    heard = create(served, body, content_type)
    assert (heard.status, heard.code) == (400, "Missingpath")
    assert came in heard.hint
    assert "application/json or application/x-www-form-urlencoded" in heard.hint


def test_a_body_of_a_type_that_is_not_read_stands_in_the_journal_as_unread(served: Api) -> None:
    heard = ask(
        served.app,
        f"{FOLDERS}?path=/q",
        method="POST",
        headers={"content-type": "multipart/form-data; boundary=x"},
        body=b"--x",
    )
    assert heard.status == 200
    (entry,) = served.request("GET", "/_emulator/worlds/default/journal").json()["entries"]
    assert entry["unread"] == ["<body of multipart/form-data>"]


@pytest.mark.parametrize("body", [b"path=/x", b'{"path": "/x"}'])
def test_a_parameter_of_the_body_that_the_query_has_too_is_unread_and_warned_of(served: Api, body: bytes) -> None:
    heard = ask(served.app, f"{FOLDERS}?path=/q", method="POST", body=body)
    assert (heard.status, heard.warning) == (200, "path came more than once; only its first value was read.")
    (entry,) = served.request("GET", "/_emulator/worlds/default/journal").json()["entries"]
    assert (entry["parameters"]["path"], entry["parameters"]["path[2]"], entry["unread"]) == ("/q", "/x", ["path[2]"])


def test_a_parameter_that_is_missing_though_the_body_was_read_is_only_asked_for(served: Api) -> None:
    assert create(served, b"name=/x").hint == "Give the parameter path."


def test_an_encoded_body_is_refused_with_its_encoding(served: Api) -> None:
    heard = create(served, b"\x1f\x8b\x08", content_encoding="gzip")
    assert (heard.status, heard.code) == (400, "RequestParameterMalformed")
    assert "'gzip'" in heard.hint
    assert create(served, b"path=/x", content_encoding=" Identity ").status == 200


def test_a_body_of_no_bytes_has_no_encoding(served: Api) -> None:
    heard = ask(served.app, f"{FOLDERS}?path=/x", method="POST", headers={"content-encoding": "gzip"}, body=[b"", b""])
    assert heard.status == 200


def test_a_body_may_hold_so_many_parameters_and_no_more() -> None:
    names = [f"a{number}" for number in range(MAX_PARAMETERS - 1)]
    with open_api() as served:
        for body in (
            "&".join(["path=/x", *(f"{name}=" for name in names)]),
            json.dumps({"path": "/y", **dict.fromkeys(names, "")}),
        ):
            assert create(served, body.encode(), None).status == 200
        for body in (
            "&".join(["path=/z", "b=", *(f"{name}=" for name in names)]),
            json.dumps({"path": "/z", "b": "", **dict.fromkeys(names, "")}),
        ):
            heard = create(served, body.encode(), None)
            assert (heard.status, heard.code) == (400, "RequestParameterMalformed")
            assert str(MAX_PARAMETERS) in heard.hint


def test_unread_names_are_looked_up_in_no_sequence() -> None:
    """Counted, not timed: twice as many names take twice as many comparisons, and not four times."""

    class Name(str):
        compared = 0
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            Name.compared += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    names = [Name(f"a{number}") for number in range(1000)]
    call = Call(
        OPERATIONS[0],
        "GET",
        "",
        dict.fromkeys(names, ""),
        tuple(Name(str(name)) for name in names),
        "",
        "unsigned",
        None,
        None,
        "json",
        200,
        None,
        (),
        Reading(0, None),
        0,
    )
    Name.compared = 0
    Usage().count_states_and_get_counters(call, Body(b"", b""))
    assert Name.compared <= 2 * len(names)


def test_a_client_that_leaves_in_the_middle_of_its_body_has_asked_for_nothing(served: Api) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    messages = [{"type": "http.request", "body": b"path=/half", "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    scope = {
        "type": "http",
        "method": "POST",
        "path": FOLDERS,
        "raw_path": FOLDERS.encode(),
        "query_string": b"",
        "headers": [(b"host", b"emulator"), (b"content-length", b"20")],
    }
    asyncio.run(served.app(scope, receive, send))
    assert sent == []
    assert not exists(served, "/half")
    assert served.request("GET", "/_emulator/worlds/default/journal").json()["total"] == 0


@pytest.mark.parametrize("value", ["[]", "{}", "0", '"x"', '"a,b"', r'"\","'])
def test_a_json_body_holds_a_limited_number_of_values(value: str) -> None:
    fits = f'{{"a":[{",".join([value] * (MAX_VALUES // 2 - 2))}]}}'
    assert list(read_parameters(fits.encode(), "application/json")) == ["a"]
    too_many = f'{{"a":[{",".join([value] * (MAX_VALUES + 1))}]}}'
    with pytest.raises(ApiError, match="more than 20000 values"):
        read_parameters(too_many.encode(), "application/json")


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize(("deep", "code"), [(MAX_DEPTH - 1, None), (MAX_DEPTH, "RequestParameterMalformed")])
def test_what_a_body_nests_is_bounded_so_that_the_journal_can_show_it(
    api: Api, begin: str, end: str, deep: int, code: str | None
) -> None:
    building.project(api, "demo")
    text = f'{{"path": "/a", "unread": [{begin * (deep - 1)}1{end * (deep - 1)}]}}'
    assert ask(api.app, FOLDERS, method="POST", body=text.encode()).code == code
    shown = api.request("GET", "/_emulator/worlds/default/journal")
    assert shown.status_code == 200
    assert shown.json()["entries"][-1]["code"] == code


@pytest.mark.parametrize("text", ["[" * 500 + "]" * 500, "{}" * 10_000])
def test_brackets_in_a_text_nest_nothing(text: str) -> None:
    assert read_parameters(json.dumps({"a": text}).encode(), "application/json") == {"a": text}


def test_a_crowd_of_texts_without_values_is_refused_before_each_is_looked_at() -> None:
    body = '{"a":"' + "," * (MAX_VALUES + 1) + '"' + '""' * 100_000
    with pytest.raises(ApiError, match="more than 20000 values"):
        read_parameters(body.encode(), "application/json")
    members = {str(number): "," for number in range(4096)}
    assert read_parameters(json.dumps({"a": [members] * 4}).encode(), "application/json") == {"a": [members] * 4}


@pytest.mark.parametrize("text", ["a," * MAX_VALUES, "[{" * MAX_VALUES, '\\",' * MAX_VALUES])
def test_what_a_text_says_is_no_value(text: str) -> None:
    body = json.dumps({"code": text}).encode()
    assert read_parameters(body, "application/json") == {"code": text}


def test_a_string_without_end_is_looked_through_once() -> None:
    text = '{"a":"' + '\\",' * (2 * MAX_VALUES)
    assert len(list(_STRING_OR_MARK.finditer(_without_escapes(text)))) == 3
    with pytest.raises(ApiError, match="not JSON"):
        read_parameters(text.encode(), "application/json")


def test_others_are_served_between_a_large_body_and_its_call(served: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[float] = []

    async def sleep(seconds: float) -> None:
        turns.append(seconds)

    monkeypatch.setattr(read_body, "asyncio", SimpleNamespace(sleep=sleep))  # servers in threads sleep, too
    monkeypatch.setattr(read_body, "LARGE", len("path=%2Fa"))
    create(served, b"path=%2Fa")
    assert turns == []
    create(served, b"path=%2Fab")
    assert turns == [0]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1E999"])
def test_a_number_that_no_json_can_show_is_refused(served: Api, number: str) -> None:
    """It ended in journals that were no JSON, and entries that could not be shown."""
    heard = create(served, f'{{"path": "/a", "more": [{{"deep": {number}}}]}}'.encode(), "application/json")
    assert heard.code == "RequestParameterMalformed"
    assert f"the number {number} is not finite" in (heard.hint or "")
    (entry,) = served.request("GET", "/_emulator/worlds/default/journal").json()["entries"]
    assert entry["parameters"] == {"projectName": "demo"}


def test_a_long_number_is_refused_before_it_is_read(served: Api) -> None:
    """Reading one takes the square of its length: 900 of 4200 digits took a quarter of a second."""
    create(served, f'{{"path": "/a", "more": {"9" * 400}}}'.encode(), "application/json")
    heard = create(served, f'{{"path": "/b", "more": [{"9" * 401}]}}'.encode(), "application/json")
    assert heard.code == "RequestParameterMalformed"
    assert "has over 400 digits" in (heard.hint or "")


@given(st.lists(st.text('\\",[{a'), max_size=4), st.integers(1, 30))
def test_values_are_counted_whatever_their_texts_hold(texts: list[str], most: int) -> None:
    document = {"a": texts, "b": [1, {"c": texts}]}
    # One for each list and object, and for each comma between values.
    values = 5 + 2 * max(len(texts) - 1, 0) + 2
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(read_body, "MAX_VALUES", most)
        assert _has_too_many_values(json.dumps(document)) is (values > most)


def test_a_text_of_escapes_is_not_gone_through_one_by_one() -> None:
    text = json.dumps({"a": '\\"\n' * 100_000 + "," * (MAX_VALUES + 1)})
    assert len(list(_STRING_OR_MARK.finditer(_without_escapes(text)))) == 3
    assert len(read_parameters(text.encode(), "application/json")["a"]) == 300_000 + MAX_VALUES + 1
