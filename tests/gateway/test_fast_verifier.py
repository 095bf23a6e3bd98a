"""The fast verifier accepts the usual signatures, and none that the complete check would refuse."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.gateway import fast_verifier
from foas_emulator.gateway.authentication import milliseconds_of
from foas_emulator.gateway.credentials import Credentials
from foas_emulator.gateway.fast_verifier import FastVerifier
from foas_emulator.gateway.signature import SignedRequest, sign, string_to_sign_variants
from tests.gateway.signature_vectors import SIGNED, Vector
from tests.gateway.test_authentication import KEYS, NOON, QUARTER, V1, check, signed_anew

WITHOUT_BODY = [each for each in SIGNED if not each.request.body and "authorization" in each.request.headers]
LOOK = FastVerifier(KEYS, max_skew_ms=QUARTER)


def verify(request: SignedRequest, *, now_ms: int = NOON) -> bool:
    headers = {name.encode("latin-1"): value.encode("latin-1") for name, value in request.headers.items()}
    path, query = request.raw_path.encode("latin-1"), request.raw_query.encode("latin-1")
    return LOOK.verify(request.method, path, query, headers, now_ms=now_ms)


def changed(**headers: str | None) -> SignedRequest:
    """The usual request with other headers, signed anew."""
    given = {**V1.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return signed_anew(V1._replace(headers={name: value for name, value in given.items() if value is not None}))


@pytest.mark.parametrize(
    "vector",
    WITHOUT_BODY,
    ids=lambda vector: vector.id,
)
def test_what_is_believed_of_official_clients_passes(vector: Vector) -> None:
    at = milliseconds_of(vector.request.headers.get("date") or vector.request.headers["x-acs-date"])
    assert at is not None
    if verify(vector.request, now_ms=at):
        assert check(vector.request, now_ms=at) is None


def test_nothing_long_is_kept_of_what_was_sent() -> None:
    kept: list[Any] = [LOOK._signer, fast_verifier._milliseconds_of, fast_verifier._form]
    long = "x" * 5000
    for request in (
        V1._replace(headers={**V1.headers, "authorization": f"ACS3-HMAC-SHA256 Credential={long}"}),
        V1._replace(headers={**V1.headers, "authorization": f"acs {long}:a"}),
        changed(**{f"x_acs_{long}": ""}),
    ):
        before = [each.cache_info().currsize for each in kept]
        assert not verify(request)
        assert [each.cache_info().currsize for each in kept] == before
    for end in ("a", "b"):
        assert not verify(changed(date=f"{V1.headers['date']} {long}{end}"))
    assert fast_verifier._milliseconds_of.cache_info().currsize <= before[1] + 1
    assert verify(V1)


def test_the_usual_signature_is_believed_within_the_skew() -> None:
    assert verify(V1)
    assert verify(V1, now_ms=NOON + QUARTER)
    assert verify(V1, now_ms=NOON - QUARTER)
    assert not verify(V1, now_ms=NOON + QUARTER + 1)
    assert not verify(V1, now_ms=NOON - QUARTER - 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"x_acs_signature_nonce": "another"},
        {"x_acs_signature_method": None},
        {"accept": None},
        {"content_type": "application/json"},
        {"x_acs_100%d": "of one"},
        {"x_emulator_world": "other"},
    ],
)
def test_headers_make_no_difference_once_they_are_signed(headers: Mapping[str, str | None]) -> None:
    assert verify(changed(**headers))


@pytest.mark.parametrize(
    "headers",
    [
        {"x_acs_signature_method": "HMAC-SHA256"},
        {"x_acs_security_token": "token"},
        {"content_md5": "1B2M2Y8AsgTpgAmY7PhCfg=="},
        {"date": None},
        {"date": "noon"},
        {"x_acs_name": "f\xfcr"},
    ],
)
def test_the_unusual_is_left_to_a_close_look(headers: Mapping[str, str | None]) -> None:
    assert not verify(changed(**headers))


@pytest.mark.parametrize(("signed", "is_believed"), [("/a%20b", True), ("/a b", False)])
def test_an_escaped_path_is_believed_if_it_was_signed_as_it_was_sent(signed: str, *, is_believed: bool) -> None:
    unsigned = V1._replace(raw_path="/a%20b")
    text = next(text for text in string_to_sign_variants(unsigned) if signed in text)
    signature = sign(text, Credentials("v1", "testid"), "testsecret").decode()
    request = unsigned._replace(headers={**V1.headers, "authorization": f"acs testid:{signature}"})
    assert verify(request) is is_believed
    assert check(request) is None


@pytest.mark.parametrize(
    "authorization", ["", "acs", "acs :", "acs testid:", "acs nobody:x", "ACS3-HMAC-SHA256 x", "acs testid:\xe4"]
)
def test_a_claim_that_cannot_be_read_is_not_believed(authorization: str) -> None:
    assert not verify(V1._replace(headers={**V1.headers, "authorization": authorization}))


TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=8)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["accept", "content-type", "x-acs-signature-nonce", "x-acs-version", "x-acs-%s", "x-other", "user-agent"]
    ),
    TEXTS,
)
PATHS = st.lists(st.sampled_from(["a", "b%20c", "%E9", "d.e", "~"]), min_size=1).map(
    lambda parts: "/" + "/".join(parts)
)
QUERIES = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["", "1", "x+y", "%2F", "%"])).map("=".join), max_size=3
).map("&".join)


@given(headers=HEADERS, path=PATHS, query=QUERIES, variant=st.integers(0, 3), flip=st.booleans())
def test_whatever_is_believed_passes_a_close_look(
    headers: dict[str, str], path: str, query: str, variant: int, *, flip: bool
) -> None:
    unsigned = SignedRequest("GET", path, query, {"date": V1.headers["date"], **headers}, b"")
    texts = list(string_to_sign_variants(unsigned))
    signature = sign(texts[variant % len(texts)], Credentials("v1", "testid"), "testsecret").decode()
    signature = signature.swapcase() if flip else signature
    request = unsigned._replace(headers={**unsigned.headers, "authorization": f"acs testid:{signature}"})
    if verify(request):
        assert not flip
        assert check(request) is None
