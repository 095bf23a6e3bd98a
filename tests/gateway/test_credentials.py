import pytest

from foas_emulator.gateway import credentials as module
from foas_emulator.gateway.credentials import (
    MOST_SIGNED,
    Credentials,
    MalformedAuthorization,
    allowed_algorithms,
    read_credentials,
)
from foas_emulator.serving.http_limits import MAX_HEADERS


def test_v1_has_a_key_a_signature_and_hmac_sha1_unless_the_request_says_otherwise() -> None:
    authorization = {"authorization": "acs testid:6FrvfadJGz6h/q13gcOl44zg/WE="}
    assert read_credentials(authorization) == Credentials(
        "v1", "testid", "6FrvfadJGz6h/q13gcOl44zg/WE=", (), "HMAC-SHA1"
    )
    assert read_credentials({**authorization, "x-acs-signature-method": "SHA256withRSA"}).algorithm == "SHA256withRSA"


@pytest.mark.parametrize(
    "parameters",
    [
        "Credential=id,SignedHeaders=host;x-acs-date,Signature=abc",
        "Credential=id,Signature=abc,SignedHeaders=host;x-acs-date",
        "Signature=abc, SignedHeaders=Host;X-Acs-Date, Credential=id",
    ],
)
def test_v3_takes_its_parameters_in_any_order(parameters: str) -> None:
    credentials = read_credentials({"authorization": f"ACS3-HMAC-SHA256 {parameters}"})
    assert credentials == Credentials("v3", "id", "abc", ("host", "x-acs-date"), "ACS3-HMAC-SHA256")


def test_a_parameter_of_v3_ends_with_its_comma_and_not_with_an_equals_sign() -> None:
    credentials = read_credentials(
        {"authorization": "ACS3-HMAC-SHA256 Credential=i=d,SignedHeaders=host,Signature=ab=="}
    )
    assert (credentials.access_key_id, credentials.signature) == ("i=d", "ab==")


def test_the_key_of_v1_ends_with_the_first_colon() -> None:
    credentials = read_credentials({"authorization": "acs id:sig:nature"})
    assert (credentials.access_key_id, credentials.signature) == ("id", "sig:nature")


def test_v3_keeps_an_algorithm_it_cannot_verify() -> None:
    authorization = "ACS3-RSA-SHA256 Credential=id,SignedHeaders=host,Signature=abc"
    assert read_credentials({"authorization": authorization}).algorithm == "ACS3-RSA-SHA256"


@pytest.mark.parametrize(
    "authorization", ["acs id:sig", "ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host,Signature=abc"]
)
@pytest.mark.parametrize("sent", ["tok==", ""])
def test_security_token_is_read_and_an_empty_one_is_none(authorization: str, sent: str) -> None:
    headers = {"authorization": authorization, "x-acs-security-token": sent}
    assert read_credentials(headers).security_token == (sent or None)


@pytest.mark.parametrize("name", ["x-acs-bearer-token", "x-acs-zero-trust-idtoken"])
def test_token_in_place_of_a_signature_is_bearer_if_it_is_not_empty(name: str) -> None:
    assert read_credentials({name: "token", "x-acs-signature-type": "BEARERTOKEN"}).scheme == "bearer"
    assert read_credentials({name: "", "x-acs-signature-type": "BEARERTOKEN"}).scheme == "anonymous"


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "acs :aGFzaA==", "x-acs-bearer-token": "token"},  # Go
        {"authorization": "acs :", "x-acs-bearer-token": "token", "x-acs-signature-type": "BEARERTOKEN"},  # PHP
        {"authorization": "acs :", "x-acs-signature-type": "BEARERTOKEN"},  # .NET, the token in the query
    ],
)
def test_token_beside_an_authorization_without_a_key_is_bearer(headers: dict[str, str]) -> None:
    assert read_credentials(headers) == Credentials("bearer")


def test_token_beside_a_signature_with_a_key_leaves_the_signature_to_be_checked() -> None:
    assert read_credentials({"authorization": "acs testid:sig", "x-acs-bearer-token": "token"}).scheme == "v1"


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}])
def test_request_without_authorization_is_anonymous(headers: dict[str, str]) -> None:
    assert read_credentials(headers) == Credentials("anonymous")


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        ("Basic dGVzdDp0ZXN0", "its first word is neither acs nor ACS3-HMAC-SHA256"),
        ("acs", "after the word acs it is not ACCESSKEYID:SIGNATURE"),
        ("acs testid", "after the word acs it is not ACCESSKEYID:SIGNATURE"),
        ("acs :signature", "after the word acs it is not ACCESSKEYID:SIGNATURE"),
        ("acs testid:", "after the word acs it is not ACCESSKEYID:SIGNATURE"),
        ("ACS3-HMAC-SHA256", "it has no Credential="),
        ("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host", "it has no Signature="),
        ("ACS3-HMAC-SHA256 Credential=id,Signature=abc", "it has no SignedHeaders="),
        (
            "ACS3-HMAC-SHA256 Credential=,SignedHeaders=host,Signature=abc",
            "its Credential= or its Sig.*= is empty",
        ),
        ("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host,Signature=", "its Credential= or its Sig.*= is empty$"),
    ],
)
def test_authorization_of_neither_form_is_malformed(authorization: str, reason: str) -> None:
    with pytest.raises(MalformedAuthorization, match=f"^{reason}"):
        read_credentials({"authorization": authorization})


def signing(names: list[str]) -> dict[str, str]:
    return {"authorization": f"ACS3-HMAC-SHA256 Credential=id,SignedHeaders={';'.join(names)},Signature=abc"}


def test_v3_signs_as_many_headers_as_a_request_may_have_and_each_of_them_once() -> None:
    names = [f"x-acs-{number}" for number in range(MOST_SIGNED)]
    assert MOST_SIGNED == MAX_HEADERS
    assert read_credentials(signing(names)).signed_headers == tuple(names)
    for refused in ([*names, "host"], ["host", "x-acs-date", "Host"]):
        with pytest.raises(MalformedAuthorization, match=r"^its SignedHeaders= names a header twice, or more than 256"):
            read_credentials(signing(refused))


def test_sm3_is_allowed_where_this_python_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed_algorithms("v3") == ("ACS3-HMAC-SHA256", "ACS3-HMAC-SM3")
    monkeypatch.setattr(module, "algorithms_available", {"sha1", "sha256"})
    assert allowed_algorithms("v3") == ("ACS3-HMAC-SHA256",)
    assert (allowed_algorithms("v1"), allowed_algorithms("bearer")) == (("HMAC-SHA1",), ())
