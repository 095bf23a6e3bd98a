import pytest

from foas_emulator.gateway.credentials import Credentials, read_credentials
from foas_emulator.gateway.signature import (
    Mismatch,
    SignedRequest,
    as_text,
    canonical_request_variants,
    query_pairs,
    sign,
    string_to_sign_variants,
    v3_string_to_sign,
    verify,
)
from tests.gateway.signature_vectors import ALL, SIGNED, Vector, with_header
from tests.wire import request_to

PATH = "/api/v2/projects/p/jobs/a%20b%E4%B8%AD/instances/1"
V1 = Credentials("v1", "test", "", (), "HMAC-SHA1")
every_vector = pytest.mark.parametrize("vector", SIGNED, ids=lambda vector: vector.id)


def signed_by(text: str, credentials: Credentials = V1) -> Credentials:
    return credentials._replace(signature=sign(text, credentials, "secret").decode())


def v3(*signed_headers: str) -> Credentials:
    return Credentials("v3", "test", "", signed_headers, "ACS3-HMAC-SHA256")


@every_vector
def test_signature_of_an_official_client_verifies(vector: Vector) -> None:
    assert verify(vector.request, vector.credentials, vector.secret) is None


@every_vector
def test_mismatch_shows_what_the_client_itself_signed(vector: Vector) -> None:
    mismatch = verify(vector.request, vector.credentials, "another secret")
    canonical_request = vector.signed_text if vector.credentials.scheme == "v3" else None
    assert mismatch == Mismatch(vector.string_to_sign, canonical_request)


@pytest.mark.parametrize("vector", [v for v in SIGNED if v.id.startswith("v1-")], ids=lambda vector: vector.id)
def test_official_clients_take_the_mismatch_for_a_wrong_secret(vector: Vector) -> None:
    """Go and Java compare what follows the colon with their own string, PHP looks for its own in the message."""
    mismatch = verify(vector.request, vector.credentials, "another secret")
    assert mismatch is not None
    said = "Specified signature is not matched with our calculation. server string to sign is:"
    message = said + mismatch.server_string_to_sign
    assert message.split("string to sign is:", 1)[1] == vector.string_to_sign


@pytest.mark.parametrize("path", [PATH, "/api/v2/projects/p/jobs/a b中/instances/1"])
@pytest.mark.parametrize("query", ["a=&b=x", "a&b=x"])
def test_v1_accepts_the_path_decoded_or_as_sent_and_empty_values_either_way(path: str, query: str) -> None:
    request = request_to(f"{PATH}?b=x&a=", headers={"date": "today"})
    assert verify(request, signed_by(f"GET\n\n\n\ntoday\n{path}?{query}"), "secret") is None


def test_v1_accepts_a_path_that_was_sent_and_signed_as_raw_utf8_beside_escapes_of_its_own() -> None:
    arrived = request_to("/api/v2/projects/%E9%A1%B9%20%E7%9B%AE", headers={"date": "today"})
    assert verify(arrived, signed_by("GET\n\n\n\ntoday\n/api/v2/projects/项%20目"), "secret") is None
    assert verify(arrived, signed_by("GET\n\n\n\ntoday\n/api/v2/projects/项%2020目"), "secret") is not None


@pytest.mark.parametrize(
    ("client", "path", "query"),
    [
        ("", "/a b", "?a=&b=1"),
        ("AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/2.16.1 python-requests/2.18.3", "/a b", "?a=&b=1"),
        ("AlibabaCloud (Linux; x86_64) Python/3.11.7 Core/0.4.3 TeaDSL/2", "/a%20b", "?a&b=1"),
        ("AlibabaCloud (linux; x64) Node.js/v20.20.2 Core/1.0.1 TeaDSL/1", "/a%20b", "?a=&b=1"),
        ("AlibabaCloud (linux; x64) Node.js/v20.20.2 Core/1.8.0", "/a%20b", "?a=&b=1"),
        ("AlibabaCloud (Linux; amd64) Java/17.0.15 Core/4.7.6 HTTPClient/ApacheHttpClient", "/a b", "?a&b=1"),
        ("AlibabaCloud (linux; amd64) Golang/1.19.8 Core/1.63.22", "/a b", "?a&b=1"),
        ("AlibabaCloud (Linux; x86_64) PHP/8.2 Client/1.5.32", "/a%20b", "?a&b=1"),
    ],
)
@pytest.mark.parametrize("header", ["user-agent", "x-sdk-client"])
def test_first_variant_is_the_form_of_the_client(header: str, client: str, path: str, query: str) -> None:
    request = request_to("/a%20b?b=1&a=", headers={header: client})
    variants = list(string_to_sign_variants(request))
    assert variants[0] == f"GET\n\n\n\n\n{path}{query}"
    assert len(set(variants)) == len(variants) == 4


def test_name_without_a_value_on_the_wire_is_first_taken_as_signed_so() -> None:
    assert next(string_to_sign_variants(request_to("/?a&b=1", headers={}))).endswith("/?a&b=1")


@pytest.mark.parametrize("target", ["/plain", "/plain?a=1&b=2", "/plain?"])
def test_request_without_anything_ambiguous_has_one_string_to_sign(target: str) -> None:
    assert list(string_to_sign_variants(request_to(target, headers={}))) == [f"GET\n\n\n\n\n{target.rstrip('?')}"]


def test_v1_sorts_headers_by_name_and_not_by_line() -> None:
    request = request_to("/", headers={"x-acs-a-b": "2", "x-acs-a": "1", "x-other": "3"})
    assert next(string_to_sign_variants(request)) == "GET\n\n\n\n\nx-acs-a:1\nx-acs-a-b:2\n/"


def test_plus_in_a_query_is_a_space_and_an_encoded_plus_is_a_plus() -> None:
    assert query_pairs("b=x+y&a=x%2By&&c") == (("a", "x+y"), ("b", "x y"), ("c", ""))
    assert query_pairs("a=x+y") == (("a", "x y"),)


@pytest.mark.parametrize("wire", ["é".encode(), "é".encode("latin-1")], ids=["sent as UTF-8", "sent as Latin-1"])
def test_header_outside_ascii_verifies_however_it_was_sent(wire: bytes) -> None:
    headers = {"x-acs-a": wire.decode("latin-1"), "x-acs-b": "中".encode().decode("latin-1")}
    request = request_to("/", headers=headers)
    assert verify(request, signed_by("GET\n\n\n\n\nx-acs-a:é\nx-acs-b:中\n/"), "secret") is None


def test_text_that_was_never_latin_1_stays_as_it_is() -> None:
    assert as_text("中") == "中"


@pytest.mark.parametrize("path", ["/a%2fb/c*~", "/a%2Fb/c%2A~", "/a/b/c*~"], ids=["as sent", "encoded", "decoded"])
def test_v3_accepts_the_path_as_sent_encoded_anew_or_decoded(path: str) -> None:
    request = request_to("/a%2fb/c*~", headers={"host": "h"})
    credentials = v3("host")
    texts = [text for text in canonical_request_variants(request, credentials) if text.split("\n")[1] == path]
    assert len(texts) == 1
    assert verify(request, signed_by(texts[0], credentials), "secret") is None


def test_v3_signs_the_headers_it_names_and_no_others() -> None:
    request = request_to(
        "/?b=x%20y*~&a=&c/d=e/f", headers={"host": "h", "x-acs-action": "GetInstance", "accept": "*/*"}
    )
    text = next(canonical_request_variants(request, v3("x-acs-action", "host", "absent")))
    assert text.split("\n")[2:-1] == [
        "a=&b=x%20y%2A~&c%2Fd=e%2Ff", "absent:", "host:h", "x-acs-action:GetInstance", "", "x-acs-action;host;absent",
    ]  # fmt: skip


def test_v3_trims_header_values_and_leaves_their_bytes_whole() -> None:
    headers = {"x-acs-a": "\u0405\u4060".encode().decode("latin-1"), "x-acs-b": " b "}
    text = next(canonical_request_variants(request_to("/", headers=headers), v3("x-acs-a", "x-acs-b")))
    assert text.split("\n")[3:5] == ["x-acs-a:\u0405\u4060", "x-acs-b:b"]


def test_v3_of_the_bare_host_signs_a_slash() -> None:
    assert next(canonical_request_variants(request_to("", headers={}), v3("host"))).startswith("GET\n/\n")


@pytest.mark.parametrize("stated", ["0" * 64, ""])
def test_v3_refuses_a_good_signature_beside_a_wrong_hash_of_the_body(stated: str) -> None:
    request = with_header(ALL["v3-tea-post-json"].request, "x-acs-content-sha256", stated)
    credentials = v3("host")
    signed = signed_by(next(canonical_request_variants(request, credentials)), credentials)
    assert verify(request, signed, "secret") is not None
    assert verify(with_header(request, "x-acs-content-sha256", None), signed, "secret") is None


@pytest.mark.parametrize("header", ["x-acs-content-sha256", "x-acs-content-sm3"])
def test_v3_with_sm3_hashes_the_body_and_the_canonical_request_with_it(header: str) -> None:
    body = b"abc"
    hash_of_abc = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"  # the standard's own example
    request = request_to("/", method="POST", headers={"host": "h", header: hash_of_abc}, body=body)
    credentials = v3("host")._replace(algorithm="ACS3-HMAC-SM3")
    text = next(canonical_request_variants(request, credentials))
    assert text.endswith(f"\n{hash_of_abc}")
    assert v3_string_to_sign(text, credentials).startswith("ACS3-HMAC-SM3\n")
    signed = signed_by(text, credentials)
    assert verify(request, signed, "secret") is None
    assert verify(request, signed._replace(algorithm="ACS3-HMAC-SHA256"), "secret") is not None
    assert verify(with_header(request, header, "0" * 64), signed, "secret") is not None


def test_signature_that_is_no_ascii_is_a_mismatch() -> None:
    request = SignedRequest("GET", "/", "", {"authorization": "acs test:é"}, b"")
    assert verify(request, read_credentials(request.headers), "test") == Mismatch("GET\n\n\n\n\n/")
