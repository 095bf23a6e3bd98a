from collections.abc import Callable

import pytest

from foas_emulator.gateway.access_keys import AccessKeys
from foas_emulator.gateway.authentication import AuthenticationFailure, check_authentication, milliseconds_of
from foas_emulator.gateway.credentials import Credentials, read_credentials
from foas_emulator.gateway.signature import SignedRequest, sign, signed_texts
from tests.gateway.signature_vectors import ALL, SIGNED, Vector, with_header
from tests.wire import request_to

NOON = 1_564_660_800_000  # Thu, 01 Aug 2019 12:00:00 GMT
QUARTER = 15 * 60 * 1000
KEYS = AccessKeys.parse(
    [
        "testid:testsecret",
        "STS.testid:testsecret:testtoken==",
        "STS.x:ssecret:tok==",
        "YourAccessKeyId:YourAccessKeySecret",
    ],
    bearer_tokens=[ALL["v3-tea-bearer"].request.headers["x-acs-bearer-token"]],
)
V1 = ALL["v1-py-get-nonce"].request
V3 = ALL["v3-tea-get"].request
STS = ALL["v1-node-sts"].request
BEARER = ALL["v3-tea-bearer"].request
JSON = ALL["v1-py-post-json"].request


class Nonces:
    """The nonces that access keys have used, as they are recorded."""

    def __init__(self, *used: tuple[str, str]) -> None:
        self.used: list[tuple[str, str]] = list(used)

    def __call__(self, access_key_id: str, nonce: str) -> bool:
        is_first = (access_key_id, nonce) not in self.used
        self.used.append((access_key_id, nonce))
        return is_first


def check(
    request: SignedRequest, *, now_ms: int = NOON, nonces: Nonces | None = None, max_skew_ms: int = QUARTER
) -> AuthenticationFailure | None:
    return check_authentication(
        request, keys=KEYS, now_ms=now_ms, max_skew_ms=max_skew_ms, use_nonce=nonces or Nonces()
    )


def failure_of(request: SignedRequest, *, now_ms: int = NOON, nonces: Nonces | None = None) -> AuthenticationFailure:
    failure = check(request, now_ms=now_ms, nonces=nonces)
    assert failure is not None
    return failure


def signed_anew(request: SignedRequest) -> SignedRequest:
    """The V1 request with the signature of the key testid."""
    credentials = Credentials("v1", "testid")
    signature = sign(next(signed_texts(request, credentials)), credentials, "testsecret").decode()
    return with_header(request, "authorization", f"acs testid:{signature}")


@pytest.mark.parametrize("vector", SIGNED, ids=lambda vector: vector.id)
def test_request_of_an_official_client_passes_within_the_skew(vector: Vector) -> None:
    headers = vector.request.headers
    at = milliseconds_of(headers.get("date") or headers["x-acs-date"])
    assert at is not None
    for now_ms in (at - QUARTER, at, at + QUARTER):
        assert check(vector.request, now_ms=now_ms) is None
    for now_ms in (at - QUARTER - 1, at + QUARTER + 1):
        assert failure_of(vector.request, now_ms=now_ms).code == "InvalidTimeStamp.Expired"


def test_bearer_token_that_is_configured_passes_without_a_signature() -> None:
    assert check(BEARER) is None


@pytest.mark.parametrize("name", ["x-acs-bearer-token", "x-acs-zero-trust-idtoken"])
def test_token_that_is_not_configured_is_refused(name: str) -> None:
    failure = failure_of(with_header(with_header(BEARER, "x-acs-bearer-token", None), name, "stolen"))
    assert failure.code == "InvalidBearerToken"
    assert "bearer_tokens" in failure.hint
    assert "stolen" not in failure.hint


@pytest.mark.parametrize("name", ["x-acs-date", "x-acs-signature-nonce"])
def test_v3_signature_that_leaves_out_date_or_nonce_is_refused(name: str) -> None:
    credentials = read_credentials(V3.headers)
    names = tuple(each for each in credentials.signed_headers if each != name)
    assert len(names) < len(credentials.signed_headers)
    claim = Credentials("v3", "testid", signed_headers=names, algorithm=credentials.algorithm)
    signature = sign(next(signed_texts(V3, claim)), claim, "testsecret").decode()
    authorization = f"ACS3-HMAC-SHA256 Credential=testid,SignedHeaders={';'.join(names)},Signature={signature}"
    failure = failure_of(with_header(V3, "authorization", authorization))
    assert failure.code == "IncompleteSignature"
    assert name in failure.hint


@pytest.mark.parametrize(
    ("request_", "code", "hint"),
    [
        (with_header(V1, "date", None), "MissingDate", "The header date is missing"),
        (with_header(V3, "x-acs-date", None), "MissingDate", "The header x-acs-date is missing"),
        (with_header(BEARER, "x-acs-date", None), "MissingDate", "The header date is missing"),
        (with_header(V1, "authorization", None), "MissingAccessKeyId", "The request is not signed"),
        (request_to("/", headers={}), "MissingDate", "The request is not signed"),
        (with_header(V1, "authorization", "Basic dGVzdA=="), "IncompleteSignature", "first word"),
        (request_to("/", headers={"authorization": "Basic x"}), "MissingDate", "The header date is missing"),
        (with_header(V1, "date", "2019-08-01 12:00"), "InvalidTimeStamp.Format", "write it like Sun, 11 Nov 2018"),
        (with_header(V3, "x-acs-date", "20190801"), "InvalidTimeStamp.Format", "write it like 2018-11-11T08:00:00Z"),
        (with_header(BEARER, "x-acs-date", "now"), "InvalidTimeStamp.Format", '"now"'),
        (
            with_header(V1, "date", "Thu, 01 Aug 2019 11:00:00 GMT"),
            "InvalidTimeStamp.Expired",
            "3600 s behind this server's clock and 900 s are allowed",
        ),
        (with_header(V1, "date", "Thu, 01 Aug 2019 13:00:00 GMT"), "InvalidTimeStamp.Expired", "3600 s ahead of"),
        (with_header(V1, "x-acs-signature-method", "SHA256withRSA"), "InvalidSignatureMethod", "HMAC-SHA1"),
        (
            with_header(V3, "authorization", "ACS3-RSA-SHA256 Credential=testid,SignedHeaders=host,Signature=00"),
            "InvalidSignatureMethod",
            "allows only ACS3-HMAC-SHA256 and ACS3-HMAC-SM3",
        ),
        (with_header(V1, "authorization", "acs nobody:abc="), "InvalidAccessKeyId.NotFound", "--access-keys nobody:"),
        (with_header(STS, "x-acs-security-token", None), "MissingSecurityToken", "x-acs-security-token"),
        (
            with_header(STS, "x-acs-security-token", "other"),
            "InvalidSecurityToken.MismatchWithAccessKey",
            "STS.testid:SECRET:TOKEN",
        ),
        (with_header(V1, "x-acs-security-token", "any"), "InvalidSecurityToken.MismatchWithAccessKey", "testid"),
        (V1._replace(method="PUT"), "SignatureDoesNotMatch", "secret"),
        (with_header(V1, "accept", "*/*"), "SignatureDoesNotMatch", 'Accept as "application/json"'),
        (JSON._replace(body=b"{}"), "ContentMD5NotMatched", 'The Content-MD5 is "47FM00SDc6Aqw+B/f5JRtw=="'),
        (with_header(BEARER, "content-md5", "x"), "ContentMD5NotMatched", "1B2M2Y8AsgTpgAmY7PhCfg=="),
    ],
)
def test_refused_request_gets_its_code_and_a_hint(request_: SignedRequest, code: str, hint: str) -> None:
    failure = failure_of(request_)
    assert failure.code == code
    assert hint in failure.hint
    assert failure.hint.isascii()
    assert failure.hint.endswith(".")


def test_mismatch_carries_what_the_message_is_made_of() -> None:
    v1, v3 = ALL["v1-py-get-nonce"], ALL["v3-tea-get"]
    wrong = v1.credentials.signature.swapcase()
    refused = failure_of(with_header(V1, "authorization", f"acs testid:{wrong}"))
    assert refused.message_args == {"string_to_sign": v1.string_to_sign}
    assert refused.differences
    refused = failure_of(with_header(V3, "authorization", V3.headers["authorization"][:-4] + "0000"))
    assert refused.message_args == {"string_to_sign": v3.string_to_sign, "canonical_request": v3.signed_text}


@pytest.mark.parametrize("date", ["2019-08-01T12:00:00Z", "noon"])
def test_a_v1_request_is_dated_by_its_date_alone(date: str) -> None:
    old = with_header(V1, "date", "Thu, 01 Aug 2019 11:00:00 GMT")
    assert failure_of(with_header(old, "x-acs-date", date)).code == "InvalidTimeStamp.Expired"
    assert check(signed_anew(with_header(V1, "x-acs-date", date))) is None


def test_repeated_nonce_is_refused_for_the_same_key_alone() -> None:
    nonces = Nonces()
    assert check(V1, nonces=nonces) is None
    refused = failure_of(V1, nonces=nonces)
    assert refused.code == "SignatureNonceUsed"
    assert refused.hint == "The x-acs-signature-nonce was used before: make a new one for every request."
    assert nonces.used[0] == ("testid", V1.headers["x-acs-signature-nonce"])
    assert check(STS, nonces=nonces) is None


def test_a_token_in_place_of_a_signature_uses_up_no_nonce() -> None:
    nonces = Nonces()
    for _ in range(2):
        assert check(with_header(BEARER, "x-acs-signature-nonce", "nonce"), nonces=nonces) is None
    assert nonces.used == []


def test_request_without_a_nonce_may_be_repeated() -> None:
    nonces = Nonces()
    for _ in range(2):
        assert check(ALL["v1-py-get"].request, nonces=nonces) is None
    assert nonces.used == []


@pytest.mark.parametrize(
    "faults",
    [
        ("date", "authorization"),
        ("authorization", "expired"),
        ("expired", "method"),
        ("method", "unknown"),
        ("token", "signature"),
        ("signature", "digest"),
    ],
    ids=" before ".join,
)
def test_checks_come_in_the_order_of_the_gateway(faults: tuple[str, str]) -> None:
    spoiled: dict[str, tuple[Callable[[SignedRequest], SignedRequest], str]] = {
        "date": (lambda request: with_header(request, "date", None), "MissingDate"),
        "authorization": (lambda request: with_header(request, "authorization", None), "MissingAccessKeyId"),
        "expired": (
            lambda request: with_header(request, "date", "Thu, 01 Aug 2019 11:00:00 GMT"),
            "InvalidTimeStamp.Expired",
        ),
        "method": (lambda request: with_header(request, "x-acs-signature-method", "x"), "InvalidSignatureMethod"),
        "unknown": (lambda request: with_header(request, "authorization", "acs a:b"), "InvalidAccessKeyId.NotFound"),
        "token": (
            lambda request: with_header(request, "x-acs-security-token", "x"),
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
        "signature": (lambda request: with_header(request, "x-acs-action", "Other"), "SignatureDoesNotMatch"),
        "digest": (lambda request: request._replace(body=b"other"), "ContentMD5NotMatched"),
    }
    request = signed_anew(with_header(JSON, "x-acs-signature-nonce", "fresh"))
    (spoil_earlier, earlier), (spoil_later, later) = (spoiled[fault] for fault in faults)
    assert failure_of(spoil_later(request)).code == later
    assert failure_of(spoil_earlier(spoil_later(request))).code == earlier


@pytest.mark.parametrize(
    "spoil",
    [
        lambda request: with_header(request, "authorization", "acs testid:abc="),
        lambda request: signed_anew(with_header(request, "content-md5", "abc=")),
    ],
)
def test_request_that_is_refused_uses_up_no_nonce(spoil: Callable[[SignedRequest], SignedRequest]) -> None:
    nonces = Nonces()
    request = signed_anew(with_header(JSON, "x-acs-signature-nonce", "fresh"))
    assert failure_of(spoil(request), nonces=nonces).code in ("SignatureDoesNotMatch", "ContentMD5NotMatched")
    assert nonces.used == []
    assert check(request, nonces=nonces) is None


def test_nonce_of_an_unknown_key_is_not_remembered() -> None:
    nonces = Nonces()
    failure_of(with_header(V1, "authorization", "acs nobody:abc="), nonces=nonces)
    assert nonces.used == []


@pytest.mark.parametrize(
    "date", ["Thu, 01 Aug 2019 12:00:00 GMT", "Thu, 1 Aug 2019 12:00:00 GMT", "2019-08-01T12:00:00Z"]
)
def test_both_forms_of_a_date_are_read(date: str) -> None:
    assert milliseconds_of(date) == NOON


@pytest.mark.parametrize(
    "date",
    [
        "",
        "Thu, 01 Aug 2019 12:00:00",
        "Thu, 01 Aug 2019 12:00:00 CST",
        "Thu, 32 Aug 2019 12:00:00 GMT",
        "Thu, 01 Okt 2019 12:00:00 GMT",
        "Thu, 01 Aug 2019 25:00:00 GMT",
        "2019-08-01T12:00:00",
        "2019-08-01T12:00:00+08:00",
        "2019-13-01T12:00:00Z",
        "2019-08-01T12:00:00.000Z",
    ],
)
def test_any_other_date_is_none(date: str) -> None:
    assert milliseconds_of(date) is None
