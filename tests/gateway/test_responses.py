from typing import Any

import pytest

from foas_emulator.gateway.errors import Problem
from foas_emulator.gateway.evidence import documented
from foas_emulator.gateway.responses import GatewayResponse, failure, header_text, internal_error, one_line
from tests.wire import Heard, ask

GONE = Problem(code="Thing.Gone", status=410, message="Gone: {name}.", evidence=documented("a page"))


def sent(reply: GatewayResponse) -> Heard:
    """What a client hears of a reply."""

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await reply.send(b"9B7BD33D-5F3A-4C4C-BCF5-AD686CAD2370", receive, send)

    return ask(app)


@pytest.mark.parametrize("format_", ["json", "xml"])
def test_refusal_is_sent_with_its_envelope_its_evidence_and_its_hint(format_: Any) -> None:
    heard = sent(failure(GONE("Why 中.", name="<x>"), format_=format_, host="here", overrides={}))
    assert (heard.status, heard.format) == (410, format_)
    assert heard.members == {
        "RequestId": "9B7BD33D-5F3A-4C4C-BCF5-AD686CAD2370",
        "HostId": "here",
        "Code": "Thing.Gone",
        "Message": "Gone: <x>.",
        "Recommend": "https://error-center.aliyun.com/status/search?Keyword=Thing.Gone&source=PopGw",
    }
    assert all(name == name.lower() for name, _ in heard.headers.raw), "ASGI's headers are in lower case"
    assert heard.headers["x-acs-request-id"] == heard.members["RequestId"]
    assert heard.headers["content-length"] == str(len(heard.body))
    assert heard.headers["x-emulator-evidence"] == "documented"
    assert heard.hint == "Why \\u4e2d."


@pytest.mark.parametrize("format_", ["json", "xml"])
def test_crash_of_ours_shows_nothing_of_itself(format_: Any) -> None:
    heard = sent(internal_error(format_=format_, host="here"))
    assert (heard.status, heard.code) == (500, "InternalError")
    assert heard.members["Message"] == "The request processing has failed due to some unknown error."
    assert heard.hint == "The emulator failed; its log has the details under this request id. Please report it."
    assert heard.members["HostId"] == "here"


def test_one_more_header_leaves_the_reply_as_it_was() -> None:
    reply = failure(GONE("why"), format_="json", host="here", overrides={})
    assert sent(reply.with_header("x-emulator-warning", "a\r\nb")).warning == "a b"
    assert sent(reply).warning is None


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("plain", b"plain"),
        ("two\nlines\r\n\tand  more ", b"two lines and more"),
        ("\u4e2d\xe9\U0001f388", b"\\u4e2d\\xe9\\U0001f388"),
        ("a\x00b\x7fc\x1bd", b"a\\x00b\\x7fc\\x1bd"),
        ("\ud800", b"\\ud800"),
        ("x" * 4000, b"x" * 4000),
        ("x" * 4001, b"x" * 4000 + b"..."),
        ("中" * 3000, b"\\u4e2d" * 666 + b"\\u4e..."),  # Node accepts 16 KiB of headers
    ],
)
def test_text_of_a_header_is_one_line_of_printable_ascii(text: str, header: bytes) -> None:
    assert header_text(text) == header


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("two\nlines\r\n\tand  more ", "two lines and more"),
        ("\u4e2d\xe9\U0001f388", "\u4e2d\xe9\U0001f388"),
        ("\u4e2d\x00b\x7fc\x1bd\u202e\ud800", "\u4e2d\\x00b\\x7fc\\x1bd\\u202e\\ud800"),
    ],
)
def test_text_of_a_line_is_printable_in_any_language(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_refusal_keeps_its_hint_as_it_is_read() -> None:
    assert failure(GONE("Why \u4e2d\nor."), format_="json", host="here", overrides={}).hint == "Why \u4e2d or."
