"""The two languages of the pages. English texts are in the templates themselves; Chinese is a gettext catalogue."""

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Language = Literal["en", "zh"]

LANGUAGES: Mapping[Language, str] = {"en": "English", "zh": "中文"}
CATALOGUES: Mapping[Language, str] = {"zh": "zh_CN.po"}

Translate = Callable[..., str]


def negotiate(accept_language: str) -> Language:
    """Return the best language for a browser's Accept-Language: Chinese or, for all others, English."""
    for quality, tag in sorted(_ranges(accept_language), key=lambda pair: -pair[0]):
        if quality > 0 and tag.partition("-")[0] in LANGUAGES:
            return "zh" if tag.startswith("zh") else "en"
    return "en"


def _ranges(accept_language: str) -> Iterator[tuple[float, str]]:
    for part in accept_language.lower().split(",")[:20]:
        tag, _, quality = part.strip().partition(";q=")
        try:
            yield float(quality or 1), tag.strip()
        except ValueError:
            continue


def translator(language: Language) -> Translate:
    """Return a function that translates an English text into a language and fills in its `%(name)s`."""
    texts = _texts(language)

    def translate(text: str, **arguments: Any) -> str:
        translated = texts.get(text, text)
        return translated % arguments if arguments else translated

    return translate


@cache
def _texts(language: Language) -> Mapping[str, str]:
    if language not in CATALOGUES:
        return {}
    return read_catalogue(files(__package__).joinpath("locale", CATALOGUES[language]).read_text("utf-8"))


def read_catalogue(text: str) -> dict[str, str]:
    """Return the texts of a PO file by their English originals; contexts and plurals are not supported."""
    texts: dict[str, str] = {}
    parts: dict[str, str] = {}
    keyword = ""
    for line in [*text.splitlines(), 'msgid ""']:
        word, _, literal = line.partition(" ")
        if word in ("msgid", "msgstr"):
            if word == "msgid" and parts.get("msgstr"):
                texts[parts["msgid"]] = parts["msgstr"]
            keyword = word
            parts[keyword] = ast.literal_eval(literal)
        elif line.startswith('"') and keyword:
            parts[keyword] += ast.literal_eval(line)
    texts.pop("", None)
    return texts


def mark(text: str) -> str:
    """Mark a text for the catalogues; templates translate it when they show it."""
    return text
