import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable

import pytest

from foas_emulator.commands.raw_request import parse_raw_request
from foas_emulator.difference import Difference
from foas_emulator.gateway import signature
from foas_emulator.gateway.access_keys import Key
from foas_emulator.gateway.authentication import wrong_signature
from foas_emulator.gateway.credentials import Credentials
from foas_emulator.gateway.signature import SignedRequest, sign, signed_texts, verify
from foas_emulator.gateway.signature_diagnosis import explain, sentence
from tests.gateway.signature_vectors import ALL, Vector, with_header
from tests.wire import request_to

V1 = Credentials("v1", "test", "", (), "HMAC-SHA1")
V3 = Credentials("v3", "test", "", ("content-type", "host", "x-acs-date"), "ACS3-HMAC-SHA256")
RPC = Difference("string to sign", "that of the ROA style", "that of the RPC style")
MD5 = b64encode(hashlib.md5(b"{}").digest()).decode()
REQUEST = request_to(
    "/api/v2/projects/a%20b?RegionId=cn+hangzhou&empty=&Tag=%E4%B8%AD",
    method="POST",
    body=b"{}",
    headers={
        "host": "localhost:8080",
        "x-forwarded-host": "foas.aliyuncs.com",
        "x-acs-version": "2018-11-11",
        "x-acs-action": "CreateJob",
        "accept": "application/json",
        "content-type": "application/json;charset=utf-8",
        "content-md5": MD5,
        "date": "Thu, 01 Aug 2019 12:00:00 GMT",
        "x-acs-date": "2019-08-01T12:00:00Z",
        "x-acs-content-sha256": hashlib.sha256(b"{}").hexdigest(),
    },
)


def text_of(request: SignedRequest, credentials: Credentials = V1) -> str:
    return next(signed_texts(request, credentials))


def found(text: str, credentials: Credentials = V1, *, request: SignedRequest = REQUEST) -> list[Difference]:
    """What is found without help when a client signs `text` for the request."""
    signed = credentials._replace(signature=sign(text, credentials, "secret").decode())
    return explain(request, signed, "secret")


def found_of(signature: bytes, credentials: Credentials = V1) -> Difference:
    [difference] = explain(REQUEST, credentials._replace(signature=signature.decode()), "secret")
    return difference


def test_good_signature_has_nothing_to_explain() -> None:
    assert found(text_of(REQUEST)) == []
    assert sentence([]) == "The signature fits the request."


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("accept", "Accept"),
        ("content-md5", "Content-MD5"),
        ("content-type", "Content-Type"),
        ("date", "Date"),
        ("x-acs-action", "x-acs-action"),
        ("x-acs-version", "x-acs-version"),
    ],
)
def test_header_that_was_sent_unsigned_is_named(name: str, field: str) -> None:
    [difference] = found(text_of(with_header(REQUEST, name, None)))
    assert (difference.field, difference.expected) == (field, REQUEST.headers[name])
    assert sentence([difference]).startswith(f"The client did not sign {field}, which the request has as ")


@pytest.mark.parametrize(
    ("name", "signed", "field"),
    [
        ("accept", "*/*", "Accept"),
        ("content-type", "application/json", "Content-Type"),
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8", "Content-Type"),
        ("content-md5", hashlib.md5(b"{}").hexdigest(), "Content-MD5"),
    ],
)
def test_header_that_a_library_changed_after_signing_is_named(name: str, signed: str, field: str) -> None:
    differences = found(text_of(with_header(REQUEST, name, signed)))
    assert differences == [Difference(field, REQUEST.headers[name], signed)]


def test_digest_that_was_signed_right_and_arrived_wrong_is_named() -> None:
    request = with_header(REQUEST, "content-md5", "wrong")
    assert found(text_of(REQUEST), request=request) == [Difference("Content-MD5", "wrong", MD5)]


def test_content_type_that_only_the_library_knows_is_named() -> None:
    request = with_header(REQUEST, "content-type", "text/csv; charset=gbk")
    signed = text_of(with_header(REQUEST, "content-type", "text/csv"))
    assert found(signed, request=request) == [Difference("Content-Type", "text/csv; charset=gbk", "text/csv")]


@pytest.mark.parametrize(
    ("resource", "field"),
    [
        ("/api/v2/projects/a b?RegionId=cn+hangzhou&Tag=中&empty=", "query RegionId"),
        ("/api/v2/projects/a b?RegionId=cn+hangzhou&Tag=%E4%B8%AD&empty=", "query RegionId"),
        ("/api/v2/projects/a b?RegionId=cn%20hangzhou&Tag=%E4%B8%AD&empty=", "query RegionId"),
        ("/api/v2/projects/a b?RegionId=cn hangzhou&Tag=中", "query empty"),
        ("/api/v2/projects/a b?RegionId=cn hangzhou&empty=", "query Tag"),
        ("/api/v2/projects/a b", "query RegionId"),
        ("/api/v2/projects/a b?RegionId=cn hangzhou&empty=&Tag=中", "order"),
        ("/api/v2/projects/a%2520b?RegionId=cn hangzhou&Tag=中&empty=", "path"),
        ("/api/v2/projects/a b/?RegionId=cn hangzhou&Tag=中&empty=", "path"),
        ("/?RegionId=cn hangzhou&Tag=中&empty=", "path"),
    ],
)
def test_resource_signed_in_another_form_is_named(resource: str, field: str) -> None:
    head, _, _ = text_of(REQUEST).rpartition("\n")
    assert found(f"{head}\n{resource}")[0].field == field


def test_a_parameter_is_named_by_what_stands_before_its_first_equals_sign() -> None:
    request = request_to("/?a=b=c", headers={})
    [difference] = found("GET\n\n\n\n\n/", request=request)
    assert difference == Difference("query a", "a=b=c", None)


@pytest.mark.parametrize("credentials", [V1, V3], ids=["V1", "V3"])
def test_method_in_lower_case_is_named(credentials: Credentials) -> None:
    differences = found(text_of(REQUEST._replace(method="post"), credentials), credentials)
    assert differences == [Difference("method", "POST", "post")]


@pytest.mark.parametrize("credentials", [V1, V3], ids=["V1", "V3"])
def test_text_put_together_wrongly_is_named(credentials: Credentials) -> None:
    text = text_of(REQUEST, credentials)
    newline = found(f"{text}\n", credentials)
    assert newline == [Difference("trailing newline", None, "\n")]
    assert sentence(newline).startswith(
        r'The client signed trailing newline as "\n", which the request does not have; '
    )
    assert found(text.replace("\n", "\r\n"), credentials) == [Difference("line ends", "\n", "\r\n")]


def test_header_lines_with_a_space_after_the_colon_are_named() -> None:
    text = text_of(REQUEST)
    for name in (name for name in REQUEST.headers if name.startswith("x-acs-")):
        text = text.replace(f"{name}:", f"{name}: ")
    assert Difference("x-acs-action", "CreateJob", " CreateJob") in found(text)


def test_blank_lines_of_absent_headers_left_out_are_named() -> None:
    request = request_to("/", headers={"accept": "*/*", "date": "this day"})
    differences = found("GET\n*/*\nthis day\n/", request=request)
    assert differences == [Difference("blank lines", "one for every absent header", "left out")]


def test_headers_signed_in_the_order_of_the_wire_are_named() -> None:
    lines = "x-acs-version:2018-11-11\nx-acs-action:CreateJob\n"
    request = request_to("/", headers={"x-acs-version": "2018-11-11", "x-acs-action": "CreateJob"})
    assert found(f"GET\n\n\n\n\n{lines}/", request=request) == [Difference("order", "sorted by name", "another one")]


@pytest.mark.parametrize("host", ["localhost", "foas.aliyuncs.com"], ids=["without its port", "before a proxy"])
def test_v3_host_that_was_signed_otherwise_is_named(host: str) -> None:
    differences = found(text_of(with_header(REQUEST, "host", host), V3), V3)
    assert differences == [Difference("host", "localhost:8080", host)]


def test_v3_host_of_a_server_with_an_ipv6_address_that_was_signed_without_its_port_is_named() -> None:
    request = with_header(REQUEST, "host", "[::1]:8080")
    differences = found(text_of(with_header(request, "host", "[::1]"), V3), V3, request=request)
    assert differences == [Difference("host", "[::1]:8080", "[::1]")]


def test_v3_header_that_a_library_changed_after_signing_is_named() -> None:
    differences = found(text_of(with_header(REQUEST, "content-type", "application/json"), V3), V3)
    assert differences == [Difference("content-type", "application/json;charset=utf-8", "application/json")]


def test_v3_hash_of_the_body_that_was_signed_right_and_arrived_wrong_is_named() -> None:
    credentials = V3._replace(signed_headers=("host", "x-acs-content-sha256"))
    request = with_header(REQUEST, "x-acs-content-sha256", "0" * 64)
    [difference] = found(text_of(REQUEST, credentials), credentials, request=request)
    assert difference == Difference("x-acs-content-sha256", "0" * 64, hashlib.sha256(b"{}").hexdigest())


def test_v3_headers_that_the_client_names_otherwise_are_named() -> None:
    client = text_of(REQUEST, V3).replace(";".join(V3.signed_headers), "host")
    signed = V3._replace(signature=sign(client, V3, "secret").decode())
    [difference] = explain(REQUEST, signed, "secret", client_string_to_sign=client)
    assert difference == Difference("SignedHeaders", "content-type;host;x-acs-date", "host")


def test_v3_body_that_arrived_otherwise_is_named() -> None:
    arrived = REQUEST._replace(body=b"{ }")
    [difference] = found(text_of(REQUEST, V3), V3, request=arrived)
    assert difference.field == "body"


def test_v3_body_is_hashed_once_for_all_that_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    real, hashed = signature.v3_hash_of, []

    def noted(content: bytes, credentials: Credentials) -> str:
        hashed.append(content)
        return real(content, credentials)

    monkeypatch.setattr(signature, "v3_hash_of", noted)
    wrong = V3._replace(signature="0" * 64)
    assert wrong_signature(REQUEST, wrong, Key("test", "secret")) is not None
    assert hashed.count(REQUEST.body) == 1


def test_v3_body_that_was_signed_as_empty_is_named() -> None:
    [difference] = found(text_of(REQUEST._replace(body=b""), V3), V3)
    assert difference == Difference("body", hashlib.sha256(b"{}").hexdigest(), hashlib.sha256().hexdigest())


def test_v3_hash_of_the_body_in_an_unsigned_header_is_named() -> None:
    request = with_header(REQUEST, "x-acs-content-sha256", "0" * 64)
    [difference] = found(text_of(request, V3), V3, request=request)
    assert difference == Difference("x-acs-content-sha256", hashlib.sha256(b"{}").hexdigest(), "0" * 64)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("RegionId=cn+hangzhou&empty=&Tag=%E4%B8%AD", "query RegionId"),
        ("RegionId=cn hangzhou&Tag=中&empty=", "query RegionId"),
        ("RegionId=cn%20hangzhou&Tag=%E4%B8%AD&empty", "query empty"),
        ("", "query RegionId"),
    ],
)
def test_v3_query_signed_in_another_form_is_named(query: str, field: str) -> None:
    lines = text_of(REQUEST, V3).split("\n")
    assert found("\n".join([*lines[:2], query, *lines[3:]]), V3)[0].field == field


@pytest.mark.parametrize("credentials", [V1, V3], ids=["V1", "V3"])
@pytest.mark.parametrize(
    ("suffix", "name"),
    [
        ("\n", "a newline"),
        ("\r\n", "a carriage return and a newline"),
        (" ", "a space"),
        ("&", "the & of the RPC style"),
    ],
)
def test_secret_with_something_behind_it_is_named_and_not_shown(
    credentials: Credentials, suffix: str, name: str
) -> None:
    difference = found_of(sign(text_of(REQUEST, credentials), credentials, f"secret{suffix}"), credentials)
    words = "the configured secret"
    assert difference == Difference("secret", words, f"{words} followed by {name}")
    assert sentence([difference]).startswith("The secret of the client's signature: expected the configured secret, ")


def test_configured_secret_with_white_space_around_it_is_named() -> None:
    signed = V1._replace(signature=sign(text_of(REQUEST), V1, "secret").decode())
    assert explain(REQUEST, signed, "secret\n") == [
        Difference("secret", "the configured secret", "the configured secret without the white space around it")
    ]


def test_signature_made_by_another_recipe_is_named() -> None:
    text = text_of(REQUEST).encode()
    in_hexadecimal = found_of(hmac.digest(b"secret", text, "sha1").hex().encode())
    assert in_hexadecimal == Difference("encoding", "base64", "hexadecimal")
    by_sha256 = found_of(b64encode(hmac.digest(b"secret", text, "sha256")))
    assert by_sha256 == Difference("algorithm", "HMAC-SHA1", "HMAC-SHA256")
    rpc = b"POST&%2F&RegionId%3Dcn%2520hangzhou%26Tag%3D%25E4%25B8%25AD%26empty%3D"
    assert found_of(b64encode(hmac.digest(b"secret&", rpc, "sha1"))) == RPC


def test_slash_in_a_query_is_encoded_in_the_rpc_style() -> None:
    request = request_to("/?a/b=c/d", headers={})
    text = b"GET&%2F&a%252Fb%3Dc%252Fd"
    signed = V1._replace(signature=b64encode(hmac.digest(b"secret&", text, "sha1")).decode())
    assert explain(request, signed, "secret") == [RPC]


def test_slash_in_a_query_that_was_encoded_twice_is_named() -> None:
    request = request_to("/?a=c/d", headers={"host": "h"})
    signed = text_of(request, V3).replace("c%2Fd", "c%252Fd")
    assert found(signed, V3, request=request)[0].field == "query a"


def test_v3_signature_made_by_another_recipe_is_named() -> None:
    text = text_of(REQUEST, V3)
    in_base64 = found_of(b64encode(bytes.fromhex(sign(text, V3, "secret").decode())), V3)
    assert in_base64 == Difference("encoding", "hexadecimal", "base64")
    unhashed = found_of(hmac.digest(b"secret", text.encode(), "sha256").hex().encode(), V3)
    assert unhashed == Difference("string to sign", "the hash of the canonical request", "the canonical request")


@pytest.mark.parametrize(
    "spoil", [str.lower, lambda text: text[:-2], lambda text: text + "=", lambda text: text.replace("=", "%3D")]
)
def test_signature_copied_badly_is_named(spoil: Callable[[str], str]) -> None:
    right = sign(text_of(REQUEST), V1, "secret").decode()
    assert found_of(spoil(right).encode()) == Difference("signature", right, spoil(right))


def test_nothing_that_fits_means_another_secret() -> None:
    difference = found_of(sign(text_of(REQUEST), V1, "other"))
    assert difference == Difference("secret", "the one configured for the access key test", "probably another one")


@pytest.mark.parametrize(
    ("credentials", "field", "right"),
    [
        (V1._replace(signature="x", algorithm="SHA256withRSA"), "x-acs-signature-method", "HMAC-SHA1"),
        (V3._replace(signature="x", algorithm="ACS3-RSA-SHA256"), "algorithm", "ACS3-HMAC-SHA256"),
    ],
)
def test_algorithm_that_the_form_does_not_have_is_named_first(credentials: Credentials, field: str, right: str) -> None:
    assert explain(REQUEST, credentials, "secret") == [Difference(field, right, credentials.algorithm)]


def test_one_bit_of_the_text_is_looked_for_only_if_that_is_asked_for() -> None:
    text = text_of(REQUEST).replace("CreateJob", "CreateJoc")
    assert [difference.field for difference in found(text)] == ["secret"]
    signed = V1._replace(signature=sign(text, V1, "secret").decode())
    [difference] = explain(REQUEST, signed, "secret", exhaustive=True)
    assert difference == Difference("x-acs-action", "CreateJob", "CreateJoc")


def test_string_of_the_client_is_compared_field_by_field() -> None:
    client = text_of(with_header(REQUEST, "accept", "*/*")._replace(method="PUT"))
    signed = V1._replace(signature=sign(client, V1, "secret").decode())
    differences = explain(REQUEST, signed, "secret", client_string_to_sign=client)
    assert differences == [Difference("method", "POST", "PUT"), Difference("Accept", "application/json", "*/*")]
    assert sentence(differences).startswith('The client signed method as "PUT", but the request has "POST"; ')


def test_string_of_the_client_that_does_not_make_its_signature_means_another_secret_too() -> None:
    client = text_of(REQUEST._replace(method="PUT"))
    signed = V1._replace(signature=sign(client, V1, "other").decode())
    differences = explain(REQUEST, signed, "secret", client_string_to_sign=client)
    other_secret = Difference("secret", "the one configured for the access key test", "another one")
    assert differences == [Difference("method", "POST", "PUT"), other_secret]


@pytest.mark.parametrize("vector", [ALL["v1-py-get"], ALL["v3-tea-get"]], ids=lambda vector: vector.id)
def test_string_of_the_client_that_is_right_means_another_secret(vector: Vector) -> None:
    for string in (vector.signed_text, vector.string_to_sign):
        [difference] = explain(vector.request, vector.credentials, "other", client_string_to_sign=string)
        assert (difference.field, difference.actual) == ("secret", "another one")


def test_v3_string_to_sign_of_the_client_tells_only_that_the_canonical_request_differs() -> None:
    vector = ALL["v3-tea-get"]
    request = vector.request._replace(method="PUT")
    [difference] = explain(request, vector.credentials, vector.secret, client_string_to_sign=vector.string_to_sign)
    hashed = hashlib.sha256(text_of(request, vector.credentials).encode()).hexdigest()
    assert difference == Difference("hash of the canonical request", hashed, vector.string_to_sign.split("\n")[1])


def test_string_of_the_client_that_is_no_string_to_sign_is_still_compared() -> None:
    vector = ALL["v3-tea-get"]
    differences = explain(vector.request, vector.credentials, vector.secret + "x", client_string_to_sign="GET")
    assert differences[0] == Difference("path", "/api/v2/projects/p/jobs/j/instances/1", None)


def test_request_of_a_thousand_headers_is_given_up_on() -> None:
    request = REQUEST._replace(headers={f"x-acs-{number}": "x" for number in range(1000)})
    [difference] = found(text_of(with_header(request, "x-acs-999", None)), request=request)
    assert difference.field == "secret"


@pytest.mark.parametrize(("length", "field"), [(1000, "x-acs-action"), (60_000, "secret")])
def test_request_of_long_headers_is_given_up_on(length: int, field: str) -> None:
    names = [f"x-acs-{number:03}" for number in range(40)]
    request = REQUEST._replace(headers=dict.fromkeys(names, "é" * (length // 40)) | {"x-acs-action": "GetJob"})
    [difference] = found(text_of(with_header(request, "x-acs-action", None)), request=request)
    assert difference.field == field


@pytest.mark.parametrize(("pairs", "field"), [(10, "path"), (4000, "secret")])
@pytest.mark.parametrize("credentials", [V1, V3])
def test_request_of_a_long_query_is_given_up_on(credentials: Credentials, pairs: int, field: str) -> None:
    request = REQUEST._replace(raw_query="&".join(f"a{number}=%41+" for number in range(pairs)))
    [difference] = found(text_of(request._replace(raw_path="/"), credentials), credentials, request=request)
    assert difference.field == field


@pytest.mark.parametrize(
    "field",
    [
        "x-acs-security-token",
        "x-acs-bearer-token",
        "x-acs-zero-trust-idtoken",
        "cookie",
        "proxy-authorization",
        "query SecurityToken",
        "query AccessKeySecret",
        "query Signature",
        "signature",
    ],
)
def test_no_secret_is_reported(field: str) -> None:
    for expected, actual in (("hidden-1", "hidden-2"), ("hidden-1", None), (None, "hidden-2")):
        assert "hidden" not in sentence([Difference(field, expected, actual)])


def test_sentence_is_ascii_whatever_was_signed() -> None:
    texts = [sentence([Difference(field, "中\n", "\x00é")]) for field in ("path", "signature", "query 中")]
    assert all(text.isascii() and text.isprintable() for text in texts)


def raw(vector: Vector, *, line_end: str = "\r\n") -> bytes:
    request = vector.request
    target = f"{request.raw_path}?{request.raw_query}" if request.raw_query else request.raw_path
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    return (line_end.join(lines) + line_end * 2).encode("latin-1") + request.body


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("vector", ALL.values(), ids=lambda vector: vector.id)
def test_raw_request_is_read_as_it_was_sent(vector: Vector, line_end: str) -> None:
    assert parse_raw_request(raw(vector, line_end=line_end)) == vector.request


def test_last_newline_of_an_editor_is_not_part_of_the_body() -> None:
    vector = ALL["v1-py-post-json"]
    assert parse_raw_request(raw(vector) + b"\n").body == vector.request.body


@pytest.mark.parametrize("body", [b"2\r\n{}\r\n0\r\n\r\n", b"1;x=y\n{\n1\n}\n0\n", b"{}"])
def test_chunks_of_a_raw_body_are_joined(body: bytes) -> None:
    assert parse_raw_request(b"POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n" + body).body == b"{}"


def test_raw_request_may_name_the_host_have_no_headers_and_hold_unencoded_characters() -> None:
    request = parse_raw_request("\nGET http://127.0.0.1:8080/a b/中?x=é HTTP/1.1\n".encode())
    assert (request.raw_path, request.raw_query, request.headers, request.body) == ("/a b/中", "x=é", {}, b"")


def test_raw_header_keeps_its_bytes() -> None:
    request = parse_raw_request("GET / HTTP/1.1\nx-acs-a:\t \u0405 \nx-acs-b: \u4060\n\n".encode())
    assert {name: value.encode("latin-1").decode() for name, value in request.headers.items()} == {
        "x-acs-a": "\u0405",
        "x-acs-b": "\u4060",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "first line"),
        (b"GET", "first line"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "first line"),
        (b"GET / HTTP/1.1\nno header\n\n", "not a header"),
        (b"GET / HTTP/1.1\nHost : x\n\n", "not a header"),
        (b"POST / HTTP/1.1\ncontent-length: " + b"1" * 5000, "its Content-Length has 5000 digits"),
    ],
)
def test_a_text_that_is_not_a_request_is_refused_with_the_line(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_raw_request(text)


def test_signature_verifies_straight_from_a_captured_file() -> None:
    vector = ALL["v1-java-common-emptyquery-recorded"]
    assert verify(parse_raw_request(raw(vector)), vector.credentials, vector.secret) is None


def test_a_secret_inside_a_parameter_is_not_told() -> None:
    difference = Difference("query code", "code=WITH(accessKey='key-secret')", None)
    assert "accessKey='***'" in sentence([difference])
