"""The official Python composers as oracles: what they sign verifies, whatever they are given."""

import hashlib
from string import ascii_letters, digits
from urllib.parse import quote, urlencode

from alibabacloud_tea_openapi.utils import Utils
from aliyunsdkcore.auth.composer.roa_signature_composer import get_signature_headers, get_url
from darabonba.request import DaraRequest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.gateway.credentials import read_credentials
from foas_emulator.gateway.signature import SignedRequest, verify

METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE"])
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
# A composer splits at "?" and "[", a client cannot send an empty segment as a name.
SEGMENTS = st.text(st.characters(codec="utf-8", exclude_characters="?[]"), min_size=1, max_size=12)
NAMES = st.text(ascii_letters + digits + "._-", min_size=1, max_size=8)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), max_size=12)
ACS_HEADERS = st.dictionaries(NAMES.map(lambda name: f"x-acs-t-{name.lower()}"), VALUES, max_size=4)
PLAIN_HEADERS = st.fixed_dictionaries({}, optional={"Content-MD5": NAMES, "Content-Type": NAMES})
SECRETS = st.text(ascii_letters + digits, min_size=1)


def on_the_wire(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): str(value).encode().decode("latin-1") for name, value in headers.items()}


@given(
    method=METHODS,
    names=st.tuples(SEGMENTS, SEGMENTS),
    query=st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=4),
    headers=st.tuples(ACS_HEADERS, PLAIN_HEADERS),
    secret=SECRETS,
)
def test_what_the_core_of_the_python_sdk_signs_verifies(
    *,
    method: str,
    names: tuple[str, str],
    query: dict[str, str],
    headers: tuple[dict[str, str], dict[str, str]],
    secret: str,
) -> None:
    query = {"RegionId": "cn-hangzhou", **query}  # the SDK adds it where it is missing
    pattern = "/api/v2/projects/[projectName]/jobs/[jobName]"
    path_parameters = {"projectName": names[0], "jobName": names[1]}
    signed, _ = get_signature_headers(
        dict(query), "id", secret, "JSON", headers[0] | headers[1], pattern, path_parameters, method
    )
    path = "/api/v2/projects/{}/jobs/{}".format(*(quote(name, safe="") for name in names))
    _, _, raw_query = get_url(pattern, query, {"projectName": "", "jobName": ""}).partition("?")
    request = SignedRequest(method, path, raw_query, on_the_wire(signed), b"")
    assert verify(request, read_credentials(request.headers), secret) is None


@given(
    method=METHODS,
    names=st.tuples(SEGMENTS, SEGMENTS),
    query=st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=4),
    headers=ACS_HEADERS,
    secret=SECRETS,
)
def test_what_the_tea_client_signs_in_v1_verifies(
    *, method: str, names: tuple[str, str], query: dict[str, str], headers: dict[str, str], secret: str
) -> None:
    composed = DaraRequest()
    composed.method, composed.query = method, query
    composed.pathname = "/api/v2/projects/{}/jobs/{}".format(*(Utils.get_encode_param(name) for name in names))
    composed.headers = {"date": "Thu, 01 Aug 2019 12:00:00 GMT", "accept": "application/json", **headers}
    signature = Utils.get_roasignature(Utils.get_string_to_sign(composed), secret)
    sent = on_the_wire({**composed.headers, "authorization": f"acs id:{signature}"})
    request = SignedRequest(method, composed.pathname, urlencode(query), sent, b"")
    assert verify(request, read_credentials(request.headers), secret) is None


@given(
    method=METHODS,
    names=st.tuples(SEGMENTS, SEGMENTS),
    query=st.dictionaries(NAMES, TEXTS, max_size=4),
    headers=ACS_HEADERS,
    body=st.binary(max_size=64),
    secret=SECRETS,
)
def test_what_the_tea_client_signs_in_v3_verifies(
    *, method: str, names: tuple[str, str], query: dict[str, str], headers: dict[str, str], body: bytes, secret: str
) -> None:
    payload = hashlib.sha256(body).hexdigest()
    composed = DaraRequest()
    composed.method, composed.query = method, query
    composed.pathname = "/api/v2/projects/{}/jobs/{}".format(*(Utils.get_encode_param(name) for name in names))
    composed.headers = {"host": "foas.aliyuncs.com", "x-acs-content-sha256": payload, **headers}
    authorization = Utils.get_authorization(composed, "ACS3-HMAC-SHA256", payload, "id", secret)
    sent = on_the_wire({**composed.headers, "authorization": authorization})
    request = SignedRequest(method, composed.pathname, urlencode(query), sent, body)
    assert verify(request, read_credentials(request.headers), secret) is None
