"""Read the body of a request, up to a limit, and add its parameters to those of the path and the query."""

import asyncio
import json
import math
import re
from collections.abc import Awaitable, Mapping
from itertools import islice
from typing import Any

from foas_emulator.gateway.bodies import BodyTooLargeError, NoRoomError, Room, Taken
from foas_emulator.gateway.encodings import foreign_encoding
from foas_emulator.gateway.errors import BODY_TOO_LARGE, MALFORMED, UNAVAILABLE
from foas_emulator.json_bounds import MAX_DEPTH, has_lone_surrogate, integer, is_too_deep
from foas_emulator.pipeline.context import RequestContext
from foas_emulator.pipeline.find_operation import MAX_PARAMETERS, read_pairs

_LIST_MEMBER = re.compile(r"([^.]+)\.([1-9][0-9]{0,3})\.([^.]+)")
_STRING_OR_MARK = re.compile(r'"[^"]*+"?|(?P<mark>[,\[{])')
"""An unclosed string extends to the end; otherwise every quote in it would be tried as the start of a string."""
_READ_TYPES = "send application/json or application/x-www-form-urlencoded"

LARGE = 256 * 1024
"""The size in bytes from which other requests are served between reading a body and calling the operation."""

MOST_ARRIVING = 256 * 1024 * 1024
"""The most bytes of bodies that have begun to arrive and are not complete. A single one may be larger."""

MAX_VALUES = 20_000
"""The most values of a JSON body; each takes far more memory and time than its bytes do."""


class ReadBody:
    """The stage that reads a body of at most `limit` bytes: a JSON object or a form, with or without a content type."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._arriving = Room(MOST_ARRIVING)

    def __call__(self, context: RequestContext) -> Awaitable[None] | None:
        headers = context.headers
        if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
            return None
        return self._read(context)

    async def _read(self, context: RequestContext) -> None:
        context.body = await self._whole(context)
        content_type = context.headers.get("content-type", "")
        context.body_note = why_not_read(context.body, content_type)
        encoding = context.headers.get("content-encoding", "identity").strip().lower()
        if encoding != "identity" and context.body:
            raise MALFORMED(
                f"The body has the content-encoding {encoding!r}, which is not supported: send it unencoded."
            )
        read = read_parameters(context.body, content_type)
        also_before = {f"{name}[2]": read[name] for name in read.keys() & context.parameters.keys()}
        context.parameters = {**read, **also_before, **context.parameters}
        if len(context.body) > LARGE:
            await asyncio.sleep(0)  # decoding it took some ten milliseconds, and so may the call

    async def _whole(self, context: RequestContext) -> bytes:
        length = context.headers.get("content-length", "")
        if length.isdecimal() and int(length) > self._limit:
            raise self._too_large()
        try:
            with Taken(self._arriving) as taken:
                return b"".join(await taken.read(context.receive, limit=self._limit))
        except BodyTooLargeError:
            raise self._too_large() from None
        except NoRoomError:
            raise UNAVAILABLE(
                f"The bodies that are arriving have over {MOST_ARRIVING} bytes together, which is the limit: "
                "ask again when others are complete."
            ) from None

    def _too_large(self) -> Exception:
        return BODY_TOO_LARGE(f"A body may have {self._limit} bytes; the setting max_body changes that.")


def read_parameters(body: bytes, content_type: str) -> Mapping[str, Any]:
    """Return the parameters in a body. Raise `RequestParameterMalformed` if the body does not match its type."""
    if not body.strip():
        return {}
    if (foreign := _foreign_type(body, content_type)) is not None:
        return {f"<body of {foreign}>": f"{len(body)} bytes"}  # nothing reads it, and the journal says so
    try:
        text = body.decode("utf-8-sig")  # with the mark that .NET and PowerShell write, or without
    except UnicodeDecodeError:
        raise MALFORMED(f"The body is {foreign_encoding(body) or 'not UTF-8'}: send it in UTF-8.") from None
    if "json" in content_type or (not _is_form(content_type) and text.lstrip().startswith("{")):
        return _read_json(text)
    return fold_lists(read_pairs(text))


def why_not_read(body: bytes, content_type: str) -> str | None:
    """Return a sentence about a body that is not read as its sender meant it; None for any other body."""
    foreign = _foreign_type(body, content_type)
    if foreign is not None:
        return f"The body came as {foreign}, which is not read: {_READ_TYPES}."
    if _is_form(content_type) and body.lstrip()[:1] in (b"{", b"["):
        return f"The body came as a form but looks like JSON: {_READ_TYPES}."
    return None


def _foreign_type(body: bytes, content_type: str) -> str | None:
    """Return the type of a body that is neither JSON nor a form, by its content type or by its first character."""
    named = content_type.partition(";")[0].strip().lower()
    if named.startswith("multipart/") or named.endswith(("/xml", "+xml")):
        return named
    return "XML" if body.lstrip()[:1] == b"<" and "json" not in named else None


def _is_form(content_type: str) -> bool:
    return content_type.lower().startswith("application/x-www-form-urlencoded")


def _read_json(text: str) -> Mapping[str, Any]:
    if _has_too_many_values(text):
        raise MALFORMED(f"The body holds more than {MAX_VALUES} values; lists and objects count with what is in them.")
    try:
        document = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise MALFORMED(f"The body is not JSON: {error}.") from None
    if document is None:
        return {}  # some generated clients send null instead of no body
    if not isinstance(document, dict):
        raise MALFORMED("The body must be a JSON object that holds the parameters.")
    if len(document) > MAX_PARAMETERS:
        raise MALFORMED(f"The body holds {len(document)} parameters; a request may have {MAX_PARAMETERS}.")
    if is_too_deep(text, document):
        raise MALFORMED(f"The body holds more than {MAX_DEPTH} levels of nested lists and objects.")
    if has_lone_surrogate(text, document):
        raise MALFORMED("The body holds half of a surrogate pair, which no text can carry.")
    return document


def _finite(number: str) -> float:
    """Return the value of a number. Raise ValueError for one that no JSON can show: NaN, or too large for a float."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"the number {number[:40]} is not finite")
    return value


_DECODER = json.JSONDecoder(parse_float=_finite, parse_int=integer, parse_constant=_finite)


def _has_too_many_values(text: str) -> bool:
    """Whether a JSON text has more values than are allowed; count them without parsing the text."""
    if text.count(",") + text.count("[") + text.count("{") <= MAX_VALUES:
        return False
    text = _without_escapes(text)
    if text.count('"') > 4 * MAX_VALUES + 2:  # more than a name and a text for each value: to try them takes long
        return True
    marks = (match for match in _STRING_OR_MARK.finditer(text) if match.lastgroup)
    return next(islice(marks, MAX_VALUES, None), None) is not None


def _without_escapes(text: str) -> str:
    """Return a JSON text in which every quote begins or ends a string; a pattern would go from escape to escape."""
    return text.replace(r"\\", "").replace(r"\"", "")


def fold_lists(pairs: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the parameters with `Name.1.member=..` as lists of structures, in the order of their numbers."""
    lists: dict[str, dict[int, dict[str, str]]] = {}
    folded: dict[str, Any] = {}
    for name, value in pairs.items():
        match = _LIST_MEMBER.fullmatch(name)
        if match is None:
            folded[name] = value
        else:
            lists.setdefault(match[1], {}).setdefault(int(match[2]), {})[match[3]] = value
    for name, items in lists.items():
        folded[name] = [items[number] for number in sorted(items)]
    return folded
