"""Access to the pages: a cookie in place of the control token, the Origin, and a token in every form.

`ConsoleGate` keeps out other machines and host names that were rebound to this one. The checks here concern browsers:
a page of another site must not send one of our forms. The sign-in form has the control token in place of the forms' own
token, which only those get who have signed in.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response

from foas_emulator.control.browsers import is_embedded
from foas_emulator.control.guard import CONSOLE, has_bearer, is_of_host
from foas_emulator.world.clock import machine_now
from foas_emulator.world.ids import fresh_secret

BASE = CONSOLE
COOKIE = "foas_emulator_console"
SESSION_MS = 7 * 86_400_000
"""Milliseconds after which the control token is asked for again."""
LONGEST_FIELD = 128 * 1024
"""The most bytes of a field of a form: a longer one, percent-encoded, takes some ten milliseconds to read."""


@dataclass(frozen=True, slots=True)
class Access:
    """The access rules of one server: its control token, if it has one, and the token in its forms."""

    control_token: str | None
    form_token: str

    @classmethod
    def fresh(cls, control_token: str | None) -> "Access":
        return cls(control_token, fresh_secret())

    def is_signed_in(self, request: Request) -> bool:
        """Whether the request carries the control token as a bearer token, or the cookie that replaces it."""
        if self.control_token is None:
            return True
        return has_bearer(request.headers, self.control_token) or any(
            self._is_session(each) for each in cookies(request, _cookie(request))
        )

    def sign_in(self, given: str, request: Request, response: Response) -> bool:
        """Exchange the control token for a cookie; return False if the token is wrong."""
        if self.control_token is None or not _same(given.strip(), self.control_token):
            return False
        # A proxy may have taken the https away; browsers say which it was where they send a form.
        is_secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
        session = self._session(str(machine_now()))
        response.set_cookie(_cookie(request), session, path=BASE, httponly=True, samesite="strict", secure=is_secure)
        return True

    def sign_out(self, request: Request, response: Response) -> None:
        """Take the cookie from the browser; until its time is over, it stays valid where somebody else has it."""
        response.delete_cookie(_cookie(request), path=BASE)

    def allows_form(self, request: Request, form_token: str) -> bool:
        """Whether a form is one of ours, sent from one of our pages."""
        return is_from_ours(request) and _same(form_token, self.form_token)

    def _session(self, begun: str) -> str:
        """Return the value of the cookie, which gives access to the pages for a while without revealing the token."""
        return (
            f"{begun}.{hmac.new((self.control_token or '').encode(), f'console {begun}'.encode(), sha256).hexdigest()}"
        )

    def _is_session(self, value: str) -> bool:
        begun = value.partition(".")[0]
        return _same(value, self._session(begun)) and machine_now() - int(begun) < SESSION_MS


def cookies(request: Request, name: str) -> list[str]:
    """Return the values of a name: other ports of the host may have set cookies that stand before or after ours."""
    pairs = (pair.strip().partition("=") for pair in ";".join(request.headers.getlist("cookie")).split(";"))
    return [value.strip(' "') for its_name, _, value in pairs if its_name == name]


def base_url_of(request: Request) -> str:
    """Return the URL at which a browser, and so programs, reach the emulator."""
    return f"{request.url.scheme}://{request.url.netloc}"


def is_from_ours(request: Request) -> bool:
    """Whether a request is from a page of ours, as far as its browser says where it is from."""
    return is_of_host(request.headers) if "origin" in request.headers else not is_embedded(request.scope)


def page_of_ours(target: str) -> str:
    """Return a path of the console, its first page in place of anything else: never lead to another site."""
    return target if target.startswith(f"{BASE}/") and target.isascii() and target.isprintable() else f"{BASE}/"


def _cookie(request: Request) -> str:
    """Return the name of the cookie, with the port: browsers send the cookies of a host to all servers on it."""
    port = request.headers.get("host", "").rpartition(":")[2]
    return f"{COOKIE}_{port}" if port.isascii() and port.isdecimal() else COOKIE


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
