"""The result of the last action, shown once on the page that follows."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response

from foas_emulator.console.access import BASE, cookies
from foas_emulator.world.ids import fresh_secret

_COOKIE = "foas_emulator_message"
_LONGEST = (900, 400, 100)
"""Limits for the bytes of a text, tried in turn, since escaped quotes and line ends take more room."""
LONGEST = _LONGEST[0]
"""The most bytes of a text; a longer command is not shown."""
_LARGEST = 3800
"""The bytes of a cookie's value that every browser accepts."""
_SECONDS = 60
_KEY = fresh_secret().encode()
"""Seals the messages of this process: any page on another port of the host, or of its domain, can set our cookies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The result of an action: whether it succeeded, a title, a hint what to do, and the same call with curl."""

    ok: bool
    title: str = ""
    hint: str = ""
    curl: str = ""


class MessageError(Exception):
    """Something cannot be done; `title` and `hint` are texts of the pages' catalogue, or details."""

    def __init__(self, title: str, hint: str = "") -> None:
        super().__init__(title, hint)
        self.title = title
        self.hint = hint


def put(response: Response, message: Message) -> None:
    """Let the next page show a message."""
    for longest in _LONGEST:
        text = _written(message, longest)
        if len(text) <= _LARGEST:
            break
    response.set_cookie(_COOKIE, text, max_age=_SECONDS, path=BASE, httponly=True, samesite="strict")


def _written(message: Message, longest: int) -> str:
    members = asdict(message)
    for name in ("title", "hint"):
        members[name] = members[name].encode()[:longest].decode(errors="ignore")
    if len(message.curl.encode()) > longest:
        members["curl"] = ""  # an incomplete command would do something else
    return sealed(urlsafe_b64encode(json.dumps(members, ensure_ascii=False).encode()).decode())


def sealed(text: str) -> str:
    """Return a text with the proof that it is from here: what others plant would be copied and run."""
    return f"{text}.{hmac.new(_KEY, text.encode(), 'sha256').hexdigest()}"


def read(request: Request) -> Message | None:
    """Return the message to show, None if there is none."""
    texts = ((each.partition(".")[0], each) for each in cookies(request, _COOKIE))
    text = next((text for text, each in texts if hmac.compare_digest(each.encode(), sealed(text).encode())), None)
    if text is None:
        return None
    try:
        members = json.loads(urlsafe_b64decode(text))
        title, hint, curl = (_text(members[name]) for name in ("title", "hint", "curl"))
        return Message(ok=members["ok"] is True, title=title, hint=hint, curl=curl)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a message consists of texts")
    value.encode()  # a page cannot show half of a surrogate pair
    return value


def forget(request: Request, response: Response) -> None:
    """Remove the message, so that it is shown only once."""
    if cookies(request, _COOKIE):
        response.delete_cookie(_COOKIE, path=BASE)
