"""Parse documents in YAML or JSON safely, within bounds, with the line of every place.

All texts that people write are read here: seeds, snapshots, bodies of the control API, error overrides.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from json.scanner import py_make_scanner  # type: ignore[attr-defined] # part of the library, missing in its stubs
from typing import Any

import yaml

from foas_emulator.json_bounds import is_whole
from foas_emulator.seeds.composing import TWICE, Composer, Lines
from foas_emulator.seeds.freeing import MANY, free, free_with
from foas_emulator.seeds.limits import (
    MAX_DEPTH,
    MAX_FAULTS,
    MAX_ITEMS,
    MAX_MEMBERS,
    SURROGATE,
    TOO_DEEP,
    TOO_MANY,
    TOO_MANY_ITEMS,
    DocumentError,
    Flaw,
    NumberError,
    Place,
    decimal,
    integer,
    quoted,
)

MAX_TAGS = 100
"""The most lines that may begin with %TAG: the parser compares each with all before it."""
TOO_MANY_TAGS = f"more than {MAX_TAGS} lines begin with %TAG; leave them out"
_NO_BEGINNING = "found character that cannot start any token"
"""What libyaml says of a tab in an indentation, for example."""
_LINE_ENDS = "\n\r\x85\u2028\u2029"

_WINDOW = 4 * 1024 * 1024
_MOST_WINDOWS = 5
"""Windows of JSON: nothing else runs while a text or a number is read. No row has a text of 16 MiB."""
TOO_LONG = f"a text, a number or a blank has more than {_WINDOW * (_MOST_WINDOWS - 1)} characters"

LARGE = 256 * 1024
"""The length in characters above which JSON is parsed so that other threads can run; the fast parser never yields."""


@dataclass(frozen=True)
class Document:
    """A value, and the text from which it was read."""

    value: Any
    _text: str = field(repr=False)
    _lines: Lines | None = field(default=None, repr=False)

    def line(self, place: Place) -> int | None:
        """Return the line of a place, or of the innermost place around it that there is; None if it is not known."""
        return self._outline.line(place)

    @cached_property
    def _outline(self) -> Lines:
        return _composed_outline(self._text).lines if self._lines is None else self._lines


def load(text: str) -> Document:
    """Parse a text that is JSON or YAML. Raise `DocumentError`."""
    try:
        return load_json(text)
    except _NotJsonError:
        return load_yaml(text)


def load_json(text: str) -> Document:
    """Parse JSON without repeated members, NaN, and numbers beyond 64 bits. Raise `DocumentError`."""
    parts: list[Any] = []
    try:
        document = _read_json(text, parts)
    except DocumentError as error:
        free_with(error, parts)
        raise
    free_with(document, parts)
    return document


def _read_json(text: str, parts: list[Any]) -> Document:
    """Parse JSON; add the lists and objects of a large text to `parts`."""
    if _has_endless_value(text):
        raise _NotJsonError([Flaw(1, (), TOO_LONG)])
    if not text or text.isspace():
        return Document(None, text)
    repeated: set[str] = set()
    try:
        value = _decoder(repeated, parts, in_steps=len(text) > LARGE).decode(text)
    except json.JSONDecodeError as error:
        raise _NotJsonError([Flaw(error.lineno, (), f"not JSON: {error.msg}")]) from None
    except RecursionError:
        raise DocumentError([Flaw(1, (), TOO_DEEP)]) from None
    except NumberError as error:
        raise DocumentError([Flaw(_line_of(text, error.text), (), str(error))]) from None
    if repeated:
        raise DocumentError(_repeated_in(text, repeated))
    flaws = list(_unfit(value))
    if flaws:
        outline = _composed_outline(text).lines
        raise DocumentError([Flaw(outline.line(place), place, message) for place, message in flaws])
    return Document(value, text)


def load_yaml(text: str) -> Document:
    """Parse YAML 1.1 without dates, sets, binary values and custom tags. Raise `DocumentError`."""
    composer, pieces = Composer(), _Pieces(text)
    try:
        composer.take(yaml.parse(pieces, yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        advice = ": a tab before it, or @, % or ` without quotation marks" if error.problem == _NO_BEGINNING else ""
        composer.flaws.append(Flaw(line, (), f"not YAML: {error.problem or error}{advice}"))
    except yaml.YAMLError as error:
        composer.flaws.append(Flaw(1, (), f"not YAML: {' '.join(str(error).split())}"))
    if pieces.flaw is not None:
        composer.flaws = [Flaw(1, (), pieces.flaw)]
    if composer.flaws:
        raise DocumentError(composer.flaws)
    return Document(composer.value, text, composer.lines)


class _Pieces:
    """A text that the YAML parser reads in pieces: no other thread runs while it reads a value that it has whole.

    The text ends at the first piece with a flaw.
    """

    def __init__(self, text: str, *, is_json: bool = False) -> None:
        self.flaw: str | None = None
        self._text = text
        self._is_json = is_json
        self._at = 0
        self._tags = 0

    def read(self, size: int = 65536, /) -> bytes:
        """Return the next piece, of about this size."""
        piece = self._text[self._at : self._at + size]
        self._at += len(piece)
        if self._is_json:
            piece = _NOT_IN_YAML.sub(" ", piece)
            if piece.endswith("\\") and self._at < len(self._text):  # an escape that goes on in the next piece
                piece = piece[:-1]
                self._at -= 1
        self._tags += sum(piece.count(f"{end}%TAG") for end in _LINE_ENDS)
        try:
            encoded = piece.encode()
        except UnicodeEncodeError:
            self.flaw = SURROGATE
        else:
            if self._tags <= MAX_TAGS:
                return encoded
            self.flaw = TOO_MANY_TAGS
        return b""


class _NotJsonError(DocumentError):
    """A text is not JSON, but may be YAML."""


# -- JSON


def _decoder(repeated: set[str], parts: list[Any], *, in_steps: bool) -> json.JSONDecoder:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        parts.append(found)
        if len(found) < len(pairs):
            seen: set[str] = set()
            repeated.update(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        return found

    decoder = json.JSONDecoder(
        object_pairs_hook=members, parse_int=integer, parse_float=decimal, parse_constant=decimal
    )
    if in_steps:
        decoder.memo = _Names()  # type: ignore[attr-defined]
        decoder.parse_array = partial(_items, parts, decoder.parse_array)  # type: ignore[attr-defined]
        decoder.scan_once = py_make_scanner(decoder)  # type: ignore[attr-defined]
    return decoder


def _items(parts: list[Any], parse: Callable[..., tuple[list[Any], int]], *given: Any) -> tuple[list[Any], int]:
    """Parse a list. Raise `DocumentError` for one of too many items."""
    items, end = parse(*given)
    if len(items) > MAX_ITEMS:
        free(items)
        (text, start), *_ = given
        raise DocumentError([Flaw(text.count("\n", 0, start) + 1, (), TOO_MANY_ITEMS)])
    parts.append(items)
    return items, end


class _Names(dict[str, str]):
    """The names of members that are kept once; not all of millions, since nothing runs while a mapping grows."""

    def setdefault(self, name: str, kept: str) -> str:
        return super().setdefault(name, kept) if len(self) < MANY else self.get(name, kept)


def _has_endless_value(text: str) -> bool:
    """Whether a value or a blank fills five windows in a row: then no text begins in any of them.

    A quote after a backslash begins no text, so a window is looked at together with the character before it.
    """
    windows = 0
    for start in range(0, len(text), _WINDOW):
        window = text[max(start - 1, 0) : start + _WINDOW]
        windows = 0 if window.count('"', 1) > window.count('\\"') else windows + 1
        if windows == _MOST_WINDOWS:
            return True
    return False


def _line_of(text: str, part: str) -> int:
    return text.count("\n", 0, max(text.find(part), 0)) + 1


def _repeated_in(text: str, names: set[str]) -> list[Flaw]:
    composer = _composed_outline(text)
    found = [flaw for flaw in composer.flaws if flaw.message == TWICE]
    return found or [Flaw(None, (), f"the member {quoted(name)} is repeated") for name in sorted(names)]


def _unfit(value: Any) -> Iterator[tuple[Place, str]]:
    """Yield the parts of a JSON value that documents may not have: too deep, too many members, a lone surrogate."""
    found = 0
    ahead: list[tuple[Place, Any]] = [((), value)]
    while ahead and found < MAX_FAULTS:
        place, part = ahead.pop()
        message = _unfit_by_itself(part, depth=len(place))
        if message is not None:
            found += 1
            yield place, message
        elif isinstance(part, dict):
            ahead += (((*place, name), member) for name, member in part.items())
        elif isinstance(part, list):
            ahead += (
                ((*place, position), item) for position, item in enumerate(part) if isinstance(item, str | dict | list)
            )


def _unfit_by_itself(part: Any, *, depth: int) -> str | None:
    """Return what is wrong with a part of a JSON value, apart from the parts in it; None if it may be there."""
    if isinstance(part, str):
        return None if is_whole(part) else SURROGATE
    if isinstance(part, dict | list) and depth >= MAX_DEPTH:
        return TOO_DEEP
    if isinstance(part, dict) and len(part) > MAX_MEMBERS:
        return TOO_MANY
    if isinstance(part, dict) and not all(map(is_whole, part)):
        return SURROGATE
    return None


_NOT_IN_YAML = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)|[^\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that JSON allows and YAML does not, and all escapes; replacing each by a blank keeps the lines."""


def _composed_outline(text: str) -> Composer:
    """Compose a JSON text as YAML for its lines, which are needed only if there is something to report."""
    composer = Composer(is_json=True)
    with suppress(yaml.YAMLError):  # the lines are known up to the place of the error
        composer.take(yaml.parse(_Pieces(text, is_json=True), yaml.CSafeLoader))
    return composer
