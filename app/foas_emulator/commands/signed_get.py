"""Send one signed GET, for the command line: a strict server can be called without an SDK."""

import re
from collections.abc import Mapping
from email.utils import format_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import quote, urlsplit

from foas_emulator.gateway.signature import SignedRequest, v1_authorization
from foas_emulator.testing.client import check_port, read_whole
from foas_emulator.world.clock import machine_now
from foas_emulator.world.instants import moment

TIMEOUT = 60.0
"""Seconds to wait for an answer."""

_AS_IT_IS = "/%?&=:;,+~!$'()*@"
_ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|U(000[0-9a-f]{5}|0010[0-9a-f]{4}))")
"""A character that no header can hold, as `gateway.responses.header_text` writes it."""


def signed_get(url: str, *, access_key_id: str, secret: str) -> tuple[int, bytes, str | None]:
    """Send a GET that is signed with V1; return the status, the body, and the hint or warning of the answer.

    Raise ValueError if the URL is not valid, and OSError if there is no answer.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("give a whole URL, such as http://127.0.0.1:8018/api/v2/projects")
    check_port(parts)
    path, query = quote(parts.path or "/", safe=_AS_IT_IS), quote(parts.query, safe=_AS_IT_IS)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    port = kind.default_port if parts.port is None else parts.port  # else it is looked for in the host
    connection = kind(parts.hostname, port, timeout=TIMEOUT)
    try:
        connection.request(
            "GET", f"{path}?{query}" if query else path, headers=_signed(path, query, access_key_id, secret)
        )
        with connection.getresponse() as response:
            note = response.getheader("x-emulator-hint") or response.getheader("x-emulator-warning")
            return response.status, read_whole(response), note and _ESCAPE.sub(_character, note)
    except HTTPException as error:
        raise ConnectionError(f"it does not answer as an HTTP server does: {error!r}") from error
    finally:
        connection.close()


def _character(escape: re.Match[str]) -> str:
    return chr(int(escape[1] or escape[2] or escape[3], 16))


def _signed(path: str, query: str, access_key_id: str, secret: str) -> Mapping[str, str]:
    now = moment(machine_now() // 1000 * 1000)
    headers = {
        "accept": "application/json",
        "date": format_datetime(now, usegmt=True),
        "x-acs-signature-method": "HMAC-SHA1",
        "x-acs-version": "2018-11-11",
    }
    request = SignedRequest("GET", path, query, headers, b"")
    return {**headers, "authorization": v1_authorization(request, access_key_id, secret)}
