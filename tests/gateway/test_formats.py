import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmltodict
from pydantic import Field

from foas_emulator.gateway.formats import (
    MOST_RANGES,
    ApiModel,
    ApiResponse,
    Format,
    _negotiate_short,
    negotiate,
    render,
    render_error,
)
from tests.api import open_api
from tests.wire import INSTANCE, ask


@pytest.fixture(scope="module", params=["json", "xml"])
def default_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def app(default_format: str) -> Iterator[Any]:
    with open_api(default_format=default_format) as opened:
        yield opened.app


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        ("application/json", "json"),
        ("application/xml", "xml"),
        ("text/xml", "xml"),
        ("Application/JSON; charset=utf-8", "json"),
        ("application/json;q=0.5, application/xml", "xml"),
        ("application/xml;q=0.2, text/xml;q=0.3, application/json;q=0.9", "json"),
        ("application/json, application/xml", "json"),
        ("text/html, application/xml;q=0.1", "xml"),
        ("application/json;q=0, application/xml;q=0.001", "xml"),
        ("application/json;q=much, application/xml;q=0.1", "xml"),
        ("text/xml, */*;q=0.8", "xml"),
        ("text/*", "xml"),
        (f"application/json;q=0.1{', text/plain' * MOST_RANGES}, text/xml", "json"),
    ],
)
def test_accept_is_answered_in_what_it_likes_best(app: Any, accept: str, format_: str) -> None:
    heard = ask(app, headers={"accept": accept})
    assert (heard.status, heard.format) == (200, format_)


def test_the_meaning_of_a_long_accept_is_not_kept() -> None:
    _negotiate_short.cache_clear()
    for number in range(3):
        assert negotiate(None, f"text/xml{' ' * 1000}, a/b{number:020}", "json") == "xml"
        assert negotiate(None, f"text/xml, a/{number}", "json") == "xml"
    assert _negotiate_short.cache_info().currsize == 3


@pytest.mark.parametrize("accept", [None, "", " ", "*/*", "application/*", "application/octet-stream", "*/*;q=0.1"])
def test_client_that_names_no_format_gets_the_default(app: Any, accept: str | None, default_format: str) -> None:
    heard = ask(app, headers={} if accept is None else {"accept": accept})
    assert (heard.status, heard.format) == (200, default_format)


@pytest.mark.parametrize(
    "accept", ["nonsense", "text/html", "image/png, text/plain;q=0.3", "application/json;q=0", ","]
)
def test_accept_that_nothing_fits_is_refused_in_the_default_format(app: Any, accept: str, default_format: str) -> None:
    heard = ask(app, headers={"accept": accept})
    assert (heard.status, heard.code, heard.format) == (400, "InvalidParameter.Accept", default_format)


@pytest.mark.parametrize(
    ("query", "format_"),
    [("Format=JSON", "json"), ("Format=XML", "xml"), ("format=xml", "xml"), ("format=Json", "json")],
)
@pytest.mark.parametrize("accept", ["application/json", "application/xml", "nonsense"])
def test_format_of_the_query_wins_over_accept(app: Any, query: str, format_: str, accept: str) -> None:
    heard = ask(app, f"{INSTANCE}?{query}", headers={"accept": accept})
    assert (heard.status, heard.format) == (200, format_)


def test_unknown_format_of_the_query_is_refused_in_the_default_format(app: Any, default_format: str) -> None:
    heard = ask(app, f"{INSTANCE}?Format=YAML", headers={"accept": "application/json"})
    assert (heard.status, heard.code, heard.format) == (400, "InvalidParameter.Format", default_format)


def test_unknown_path_is_reported_before_an_accept_that_nothing_fits(app: Any) -> None:
    assert ask(app, "/api/v3", headers={"accept": "text/html"}).code == "InvalidAction.NotFound"


class Point(ApiModel):
    max_v_core: int | None = None
    name: str | None = None
    is_open: bool | None = Field(default=None, alias="isOpen")


class Points(ApiModel):
    point: list[Point]


class SomeResponse(ApiResponse):
    zeta: str | None = None
    points: Points | None = None
    alpha: int | None = None
    values: dict[str, str] | None = None
    curve: dict[str, float] | None = None


def rendered(format_: Format, **members: Any) -> str:
    return render("GetSomething", SomeResponse.model_construct(**members), format_).with_request_id(b"ID").decode()


def test_json_begins_with_the_request_id_and_keeps_the_declared_order() -> None:
    assert rendered("json", alpha=1, zeta="z") == '{"RequestId":"ID","Zeta":"z","Alpha":1}'


def test_xml_has_the_prolog_the_operations_root_and_no_white_space_between_elements() -> None:
    assert rendered("xml", alpha=1, zeta="z") == (
        "<?xml version='1.0' encoding='UTF-8'?><GetSomethingResponse><RequestId>ID</RequestId><Zeta>z</Zeta>"
        "<Alpha>1</Alpha></GetSomethingResponse>"
    )


def test_answer_without_members_holds_the_request_id_alone() -> None:
    assert rendered("json") == '{"RequestId":"ID"}'
    assert rendered("xml").endswith("<GetSomethingResponse><RequestId>ID</RequestId></GetSomethingResponse>")


def test_null_is_left_out_and_an_empty_string_is_kept() -> None:
    assert rendered("json", zeta="", alpha=None) == '{"RequestId":"ID","Zeta":""}'
    assert "<RequestId>ID</RequestId><Zeta/></GetSomethingResponse>" in rendered("xml", zeta="", alpha=None)


def test_list_stands_in_its_wrapper_even_when_it_is_empty() -> None:
    point = Point.model_construct(max_v_core=3, name="n", is_open=True)
    twice = Points.model_construct(point=[point, Point.model_construct(is_open=False)])
    assert json.loads(rendered("json", points=twice))["Points"] == {
        "Point": [{"MaxVCore": 3, "Name": "n", "isOpen": True}, {"isOpen": False}]
    }
    one = "<Point><MaxVCore>3</MaxVCore><Name>n</Name><isOpen>true</isOpen></Point>"
    assert f"<Points>{one}<Point><isOpen>false</isOpen></Point></Points>" in rendered("xml", points=twice)
    assert rendered("json", points=Points.model_construct(point=[])) == '{"RequestId":"ID","Points":{"Point":[]}}'
    assert "<Points/>" in rendered("xml", points=Points.model_construct(point=[]))


def test_text_is_raw_utf8_in_both_formats() -> None:
    assert '"Zeta":"中文🎈é"' in rendered("json", zeta="中文🎈é")
    assert "<Zeta>中文🎈é</Zeta>" in rendered("xml", zeta="中文🎈é")


def test_carriage_return_survives_xml() -> None:
    text = "one\r\ntwo\rthree\n"
    written = rendered("xml", zeta=text)
    assert "<Zeta>one&#13;\ntwo&#13;three\n</Zeta>" in written
    assert ET.fromstring(written).findtext("Zeta") == text


def test_what_xml_cannot_carry_becomes_the_replacement_character() -> None:
    text = "a\x00b\x0bc\x1fd\ufffee\uffff\t"
    written = rendered("xml", zeta=text)
    assert ET.fromstring(written).findtext("Zeta") == "a\ufffdb\ufffdc\ufffdd\ufffde\ufffd\t"
    assert json.loads(rendered("json", zeta=text))["Zeta"] == text


def test_each_character_that_xml_cannot_carry_is_replaced_wherever_it_is() -> None:
    illegal = "".join(map(chr, [*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF]))
    written = rendered("xml", zeta=f"{illegal}a{illegal[::-1]}中{illegal}")
    replaced = "\ufffd" * len(illegal)
    assert ET.fromstring(written).findtext("Zeta") == f"{replaced}a{replaced}中{replaced}"


def test_a_curve_has_an_element_for_each_point() -> None:
    written = rendered("xml", curve={"1599794335000": 0.5, "in_rps": 1e20, "<": -2.0}, zeta="\ufffeb\uffff")
    points = "<_1599794335000>0.5</_1599794335000><in_rps>1e+20</in_rps><_>-2.0</_>"
    assert f"<Curve>{points}</Curve>" in written
    assert "<Zeta>\ufffdb\ufffd</Zeta>" in written
    assert "<Curve/>" in rendered("xml", curve={})


@pytest.mark.parametrize("text", ["<&>\"'", "]]>", "@id", "#text", " leading and trailing ", "\n", "{a:b}", "&#13;"])
def test_markup_in_a_text_is_a_text(text: str) -> None:
    assert ET.fromstring(rendered("xml", zeta=text)).findtext("Zeta") == text


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("1599794335000", "_1599794335000"),
        ("in_rps", "in_rps"),
        ("a b/c", "a_b_c"),
        ("-x", "_-x"),
        ("", "_"),
        ("#", "_"),
    ],
)
def test_names_become_legal_element_names(name: str, element: str) -> None:
    written = rendered("xml", values={name: "v"})
    assert xmltodict.parse(written)["GetSomethingResponse"]["Values"] == {element: "v"}
    assert json.loads(rendered("json", values={name: "v"}))["Values"] == {name: "v"}


def test_text_like_a_request_id_element_is_not_taken_for_it() -> None:
    written = render_error({"Message": "<RequestId>?</RequestId>"}, "xml").with_request_id(b"ID").decode()
    root = ET.fromstring(written)
    assert (root.tag, root.findtext("RequestId"), root.findtext("Message")) == (
        "Error",
        "ID",
        "<RequestId>?</RequestId>",
    )


def test_error_envelope_of_json_begins_with_the_request_id() -> None:
    written = render_error({"Code": "C", "Message": '"中"'}, "json").with_request_id(b"ID").decode()
    assert written == '{"RequestId":"ID","Code":"C","Message":"\\"中\\""}'


def test_structure_is_made_of_the_columns_of_a_row_that_are_its_members() -> None:
    assert Point.from_row({"name": "n", "more": 1}).model_dump(by_alias=True, exclude_none=True) == {"Name": "n"}
