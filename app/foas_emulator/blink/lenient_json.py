"""JSON as people write it in parameters: with bare words, single quotes, extra or missing commas, comments.

The documentation's own examples are of that kind: `{a:b}` for a plan and a configuration,
`{metric: "clusterid.system.mem.memtotal", aggregator: "avg", downsample: "avg"}` for a metric query.
"""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from foas_emulator.json_bounds import MAX_DEPTH, has_lone_surrogate, integer, is_too_deep

LONGEST = 1024 * 1024
"""The most characters of a text to parse."""
MOST_VALUES = 50_000
"""The most commas and opening brackets of a text: its values take some ten milliseconds."""
MOST_TOKENS = 10_000
"""The most tokens of a text to parse leniently, which takes a microsecond for each. Reports parse up to three texts."""
_MOST_SHOWN = 100  # characters of a word that an error names
_GAP = re.compile(r"(?:\s|(?<![:=])//[^\n]*+)*+")
"""White space and comments. Directly after a colon or an equals sign, `//` is part of a URL and not a comment."""
_TOKEN = re.compile(
    r"""
    (?P<mark>[{}\[\]:,=])
    | (?P<quote>["'])(?P<quoted>(?:[^"'\\]|\\.|(?!(?P=quote))["'])*+)(?P=quote)
    | (?P<bare>[^\s{}\[\]:,="']++)
    """,
    re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CONSTANTS = {"true": True, "false": False, "null": None}
_BACKSLASH = "\udfff"
"""Stands for an escaped backslash while others are replaced: half of a surrogate pair, which no UTF-8 holds."""


def parse(text: str) -> Any:
    """Parse a text strictly if possible, else leniently. Raise ValueError if neither works.

    A bare word is a number, true, false or null if it looks like one; a bare value may contain colons
    (`limit: avg:sample:50`). Keys and values are separated by a colon or an equals sign. A comment extends from `//` to
    the end of its line. A text of more than `LONGEST` characters or `MOST_VALUES` values is refused, and so is half of
    a surrogate pair, and more than `MAX_DEPTH` lists and objects inside one another. A byte order mark before it, as
    editors write it, is skipped.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > LONGEST:
        raise ValueError(f"it has over {LONGEST} characters")
    if len(text) > MOST_VALUES:
        _check_values(text)
    try:
        value = _loads(text)
    except (ValueError, RecursionError):
        value = _Reader(text).document()
    return _storable(text, value)


def parse_strictly(text: str) -> Any:
    """Parse JSON. Raise ValueError for any other text, and for what `parse` refuses except its length."""
    if len(text) > MOST_VALUES:
        _check_values(text)
    try:
        return _storable(text, _loads(text))
    except RecursionError:
        raise ValueError("nested too deeply") from None


_loads = json.JSONDecoder(parse_int=integer).decode


def _storable(text: str, value: Any) -> Any:
    """Return the value of a text. Raise ValueError for one that is nested too deeply or holds half a surrogate pair."""
    if len(text) > MAX_DEPTH and is_too_deep(text, value):
        raise ValueError("nested too deeply")
    if "\\" in text and has_lone_surrogate(text, value):
        raise ValueError("it holds half of a surrogate pair, which no text can carry")
    return value


def _check_values(text: str) -> None:
    if text.count(",") + text.count("[") + text.count("{") > MOST_VALUES:
        raise ValueError(f"it has over {MOST_VALUES} values")


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(islice(_tokens_of(text), MOST_TOKENS + 1))
        if len(self._tokens) > MOST_TOKENS:
            raise ValueError(f"it has over {MOST_TOKENS} words and signs")
        self._index = 0

    def document(self) -> Any:
        value = self._value(MAX_DEPTH)
        if self._index < len(self._tokens):
            raise ValueError(f"unexpected {self._tokens[self._index][0][:_MOST_SHOWN]}")
        return value

    def _value(self, depth: int) -> Any:
        if not depth:
            raise ValueError("nested too deeply")
        token = self._next()
        if token["mark"] == "{":
            return self._object(depth - 1)
        if token["mark"] == "[":
            return self._array(depth - 1)
        if token["mark"]:
            raise ValueError(f"unexpected {token['mark']}")
        return _quoted(token) if token["quote"] else self._bare(token)

    def _object(self, depth: int) -> dict[str, Any]:
        members: dict[str, Any] = {}
        while (token := self._next())["mark"] != "}":
            if token["mark"] == ",":
                continue
            if token["mark"] or self._next()["mark"] not in {":", "="}:
                raise ValueError("expected a key and a colon")
            members[_quoted(token) if token["quote"] else token["bare"]] = self._value(depth)
        return members

    def _array(self, depth: int) -> list[Any]:
        items: list[Any] = []
        while (token := self._next())["mark"] != "]":
            if token["mark"] != ",":
                self._index -= 1
                items.append(self._value(depth))
        return items

    def _bare(self, first: re.Match[str]) -> Any:
        last = first
        while self._index < len(self._tokens) and self._tokens[self._index]["mark"] not in {",", "}", "]"}:
            last = self._next()
        text = self._text[first.start("bare") : last.end()]
        return _loads(text) if _NUMBER.fullmatch(text) else _CONSTANTS.get(text, text)

    def _next(self) -> re.Match[str]:
        if self._index >= len(self._tokens):
            raise ValueError("unexpected end")
        self._index += 1
        return self._tokens[self._index - 1]


def _tokens_of(text: str) -> Iterator[re.Match[str]]:
    position = _end_of_gap(text, 0)
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"unterminated string at {position}")
        yield token
        position = _end_of_gap(text, token.end())


def _end_of_gap(text: str, position: int) -> int:
    gap = _GAP.match(text, position)
    return position if gap is None else gap.end()


def _quoted(token: re.Match[str]) -> str:
    try:
        return str(json.loads(f'"{token["quoted"]}"', strict=False))
    except ValueError:
        return _unescaped(token["quoted"])


def _unescaped(text: str) -> str:
    """Return a text with each escape replaced by what it means, or by its second character if it means nothing."""
    text = text.replace("\\\\", _BACKSLASH)
    for escape, meaning in (("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t"), ("\\", ""), (_BACKSLASH, "\\")):
        text = text.replace(escape, meaning)
    return text
