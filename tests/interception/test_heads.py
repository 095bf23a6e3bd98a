"""The heads of requests to a proxy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.interception.heads import BadRequestError, read_request


def test_a_tunnel_names_host_and_port() -> None:
    request = read_request(b"CONNECT foas.aliyuncs.com:8443 HTTP/1.1\r\nHost: foas.aliyuncs.com:8443\r\n\r\n")
    assert (request.host, request.port, request.head) == ("foas.aliyuncs.com", 8443, None)


def test_an_address_of_http_keeps_its_bytes_and_every_header_but_those_of_the_hop() -> None:
    head = (
        b"PUT http://foas.aliyuncs.com/api/%E4%BD%9C?a=%20&b HTTP/1.1\r\nHost: foas.aliyuncs.com\r\n"
        b"Authorization: acs a:b\r\nConnection: keep-alive\r\nProxy-Connection: keep-alive\r\n"
        b"Proxy-Authorization: Basic x\r\nContent-Length: 3\r\n\r\n"
    )
    request = read_request(head)
    assert (request.host, request.port) == ("foas.aliyuncs.com", 80)
    assert request.head == (
        b"PUT /api/%E4%BD%9C?a=%20&b HTTP/1.1\r\nHost: foas.aliyuncs.com\r\nAuthorization: acs a:b\r\n"
        b"Content-Length: 3\r\nConnection: close\r\n\r\n"
    )


def test_a_request_without_a_host_gets_that_of_its_address() -> None:
    head = read_request(b"GET http://foas.aliyuncs.com:81/a HTTP/1.0\r\nAccept: a\r\n\r\n").head
    assert head == b"GET /a HTTP/1.1\r\nAccept: a\r\nHost: foas.aliyuncs.com:81\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("length", "read"), [(b"0", 0), (b"3", 3), (b" 003\t", 3), (b"0" * 30 + b"3", 3), (b"3, 3", 0), (b"+3", 0)]
)
def test_a_length_is_read_as_the_server_reads_it(length: bytes, read: int) -> None:
    assert read_request(b"PUT http://a/ HTTP/1.1\r\nContent-Length:" + length + b"\r\n\r\n").length == read


@pytest.mark.parametrize(
    ("address", "target"), [(b"http://a", b"/"), (b"http://a?x=1", b"/?x=1"), (b"HTTP://a:81/b", b"/b")]
)
def test_an_address_without_a_path_asks_for_the_root(address: bytes, target: bytes) -> None:
    head = read_request(b"GET %b HTTP/1.1\r\n\r\n" % address).head
    assert head is not None
    assert head.startswith(b"GET %b HTTP/1.1\r\n" % target)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET / HTTP/1.1",
        b"GET https://foas.aliyuncs.com/ HTTP/1.1",
        b"GET http://user@foas.aliyuncs.com/ HTTP/1.1",
        b"CONNECT foas.aliyuncs.com:0 HTTP/1.1",
        b"CONNECT foas.aliyuncs.com:99999 HTTP/1.1",
        b"CONNECT :443 HTTP/1.1",
        b"\x16\x03\x01",
        b"GET http://a/ HTTP/2",
    ],
)
def test_what_a_proxy_does_not_serve_is_refused(line: bytes) -> None:
    with pytest.raises(BadRequestError):
        read_request(line + b"\r\n\r\n")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(head: bytes) -> None:
    try:
        request = read_request(head + b"\r\n\r\n")
    except BadRequestError:
        return
    assert request.host.isascii()
    assert 0 < request.port < 65536
