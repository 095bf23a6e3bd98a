"""The preferences of a reader: language and theme, stored in two cookies."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal, cast, get_args
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foas_emulator.console.access import BASE, cookies
from foas_emulator.console.language import LANGUAGES, Language, negotiate

Theme = Literal["auto", "light", "dark"]

_LANGUAGE = "foas_emulator_language"
_THEME = "foas_emulator_theme"
_A_YEAR = 365 * 24 * 60 * 60
_LONGEST = 200
"""The most characters of an Accept-Language to read."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """Language and theme; `auto` follows the browser."""

    language: Language
    theme: Theme


def preferred(request: Request) -> Preferences:
    """Return the preferences in the cookies, else those of the browser."""
    language, theme = (next(iter(cookies(request, name)), "") for name in (_LANGUAGE, _THEME))
    return Preferences(
        cast(Language, language)
        if language in LANGUAGES
        else negotiate(request.headers.get("accept-language", "")[:_LONGEST]),
        cast(Theme, theme) if theme in get_args(Theme) else "auto",
    )


def chosen_by(request: Request) -> dict[str, str]:
    """Return the cookies to set where the query chooses a language or a theme, else none."""
    language, theme = request.query_params.get("lang", ""), request.query_params.get("theme", "")
    chosen = {_LANGUAGE: language} if language in LANGUAGES else {}
    return chosen | ({_THEME: theme} if theme in get_args(Theme) else {})


def remember(request: Request, chosen: dict[str, str]) -> Response:
    """Set the cookies and redirect to the same page, without the choice in its URL."""
    query = urlencode([pair for pair in request.query_params.multi_items() if pair[0] not in ("lang", "theme")])
    path = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    response = RedirectResponse(path + (f"?{query}" if query else ""), HTTPStatus.SEE_OTHER)
    for name, value in chosen.items():
        response.set_cookie(name, value, max_age=_A_YEAR, path=BASE, samesite="strict", httponly=True)
    return response
