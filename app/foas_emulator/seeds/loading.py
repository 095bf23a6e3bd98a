"""Documents in YAML or JSON: read safely, within bounds, with the line of every place.

The one way in for texts that people write: seeds, snapshots, bodies of the control API, error overrides. YAML is put
together from its events, so that every bound is checked before anything is built: what an alias repeats is counted, and
nothing but texts, numbers, truth values, null, lists and mappings can come of it.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from json.scanner import py_make_scanner  # type: ignore[attr-defined] # part of the library, missing in its stubs
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

MAX_DEPTH = 64
"""How deep lists and mappings may stand in each other."""
MAX_MEMBERS = 1000
"""How many members one mapping may have."""
MAX_REPEATED = 200_000
"""How much all aliases of a document may repeat: values, and 32 characters of their texts as one more."""
MAX_FAULTS = 1000
"""How many faults are told of one document."""
LARGE = 256 * 1024
"""Characters from which on JSON is read in steps that let other threads run; the fast reader never pauses."""

Place = tuple[str | int, ...]
"""Where a value stands: names of members and positions in lists, from the top."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a document: the line, counted from 1, the place, and what is wrong."""

    line: int
    place: Place
    message: str


class DocumentError(ValueError):
    """A text that is no document, with every flaw that was found in it."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__("; ".join(f"line {flaw.line}: {path_of(flaw.place)}: {flaw.message}" for flaw in flaws[:3]))
        self.flaws = flaws


@dataclass(frozen=True)
class Document:
    """A value, and the text it was read from."""

    value: Any
    _text: str = field(repr=False)
    _lines: "_Lines | None" = field(default=None, repr=False)

    def line(self, place: Place) -> int:
        """Return the line of a place, or of the innermost one around it that is known."""
        return self._outline.line(place)

    @cached_property
    def _outline(self) -> "_Lines":
        return _outline(self._text) if self._lines is None else self._lines


def path_of(place: Place) -> str:
    """Return a place as people write it: `projects[0].jobs[1].JobName`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".") or "document"


def load(text: str) -> Document:
    """Read a text that is JSON or YAML. Raises `DocumentError`."""
    try:
        return load_json(text)
    except _NotJsonError:
        return load_yaml(text)


def load_json(text: str) -> Document:
    """Read JSON: no member twice, no NaN, no number beyond 64 bits. Raises `DocumentError`."""
    if not text.strip():
        return Document(None, text)
    repeated: set[str] = set()
    try:
        value = _decoder(repeated, in_steps=len(text) > LARGE).decode(text)
    except json.JSONDecodeError as error:
        raise _NotJsonError([Flaw(error.lineno, (), f"not JSON: {error.msg}")]) from None
    except RecursionError:
        raise DocumentError([Flaw(1, (), _TOO_DEEP)]) from None
    except _NumberError as error:
        raise DocumentError([Flaw(_line_of(text, error.text), (), str(error))]) from None
    if repeated:
        raise DocumentError(_repeated_in(text, repeated))
    flaws = list(_unfit(value))
    if flaws:
        outline = _outline(text)
        raise DocumentError([Flaw(outline.line(place), place, message) for place, message in flaws])
    return Document(value, text)


def load_yaml(text: str) -> Document:
    """Read YAML 1.1 without its dates, sets, binaries and tags of one's own. Raises `DocumentError`."""
    composer = _Composer()
    try:
        composer.take(yaml.parse(text, yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        composer.flaws.append(Flaw(line, (), f"not YAML: {error.problem or error}"))
    except yaml.YAMLError as error:
        composer.flaws.append(Flaw(1, (), f"not YAML: {' '.join(str(error).split())}"))
    except UnicodeEncodeError:
        composer.flaws.append(Flaw(1, (), _SURROGATE))
    if composer.flaws:
        raise DocumentError(composer.flaws)
    return Document(composer.value, text, composer.lines)


_TOO_DEEP = f"lists and mappings stand in each other more than {MAX_DEPTH} deep"
_TOO_MANY = f"a mapping has more than {MAX_MEMBERS} members"
_SURROGATE = "the text holds half of a surrogate pair, which no answer can carry"


class _NotJsonError(DocumentError):
    """A text that may still be YAML."""


class _NumberError(ValueError):
    """A number that nothing here can hold."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"the number {_shortened(text)} {reason}")
        self.text = text


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:20]}... of {len(text)} characters"  # noqa: PLR2004


_LONGEST_NUMBER = 400
_LONG = 2**63


def _integer(text: str, read: Callable[[str], int] = int) -> int:
    value = _LONG if len(text) > _LONGEST_NUMBER else read(text)
    if not -_LONG <= value < _LONG:
        raise _NumberError(text, "has more than 64 bits")
    return value


def _decimal(text: str, read: Callable[[str], float] = float) -> float:
    value = math.inf if len(text) > _LONGEST_NUMBER else read(text)
    if not math.isfinite(value):
        raise _NumberError(text, "is not finite")
    return value


# -- JSON


def _decoder(repeated: set[str], *, in_steps: bool) -> json.JSONDecoder:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            repeated.update(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        return found

    decoder = json.JSONDecoder(
        object_pairs_hook=members, parse_int=_integer, parse_float=_decimal, parse_constant=_decimal
    )
    if in_steps:
        decoder.scan_once = py_make_scanner(decoder)  # type: ignore[attr-defined]
    return decoder


def _line_of(text: str, part: str) -> int:
    return text.count("\n", 0, max(text.find(part), 0)) + 1


def _repeated_in(text: str, names: set[str]) -> list[Flaw]:
    composer = _composed_outline(text)
    found = [flaw for flaw in composer.flaws if flaw.message == _TWICE]
    return found or [Flaw(1, (), f"the member {name!r} stands twice") for name in sorted(names)]


def _unfit(value: Any) -> Iterator[tuple[Place, str]]:
    """What JSON can hold and no document may: too deep, too many members, half a surrogate pair."""
    found = 0
    ahead: list[tuple[Place, Any]] = [((), value)]
    while ahead and found < MAX_FAULTS:
        place, part = ahead.pop()
        message = None
        if isinstance(part, str):
            message = None if _is_whole(part) else _SURROGATE
        elif isinstance(part, dict):
            if len(place) >= MAX_DEPTH:
                message = _TOO_DEEP
            elif len(part) > MAX_MEMBERS:
                message = _TOO_MANY
            elif not all(map(_is_whole, part)):
                message = _SURROGATE
            else:
                ahead += (((*place, name), member) for name, member in part.items())
        elif isinstance(part, list):
            if len(place) >= MAX_DEPTH:
                message = _TOO_DEEP
            else:
                ahead += (
                    ((*place, position), item)
                    for position, item in enumerate(part)
                    if isinstance(item, str | dict | list)
                )
        if message is not None:
            found += 1
            yield place, message


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_NOT_IN_YAML = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)|[^\n\r -~\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What JSON may hold and YAML may not, and every escape; a blank in its place leaves each line where it is."""


def _composed_outline(text: str) -> "_Composer":
    composer = _Composer(is_json=True)
    with suppress(yaml.YAMLError):  # its lines are known as far as it could be read
        composer.take(yaml.parse(_NOT_IN_YAML.sub(" ", text), yaml.CSafeLoader))
    return composer


def _outline(text: str) -> "_Lines":
    """The lines of a JSON text, which are asked for only if something is wrong with it."""
    return _composed_outline(text).lines


# -- YAML


class _Lines:
    """The line of each member and item, by the container it stands in."""

    def __init__(self) -> None:
        self.root: Any = None
        self.root_line = 1
        self._of: dict[int, dict[str | int, int]] = {}

    def note(self, container: Any, part: str | int, line: int) -> None:
        self._of.setdefault(id(container), {})[part] = line

    def of(self, container: Any, part: str | int) -> int | None:
        return self._of.get(id(container), {}).get(part)

    def line(self, place: Place) -> int:
        value, line = self.root, self.root_line
        for part in place:
            found = self.of(value, part)
            if found is None:
                break
            line, value = found, value[part]
        return line


_TWICE = "stands twice"
_MERGE = "tag:yaml.org,2002:merge"
_STR = "tag:yaml.org,2002:str"
_INT = "tag:yaml.org,2002:int"
_FLOAT = "tag:yaml.org,2002:float"
_BOOL = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"
_SCALARS = (_INT, _FLOAT, _BOOL, _NULL, _MERGE)
_CONTAINERS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", None, "!"}
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _SCALARS]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
"""What a plain scalar is by its looks. Dates stay texts, and so does `=`."""
_CONSTRUCTOR = SafeConstructor()
_UNREADABLE = object()
"""Stands for a value that has a flaw, so that the rest can be looked at."""
_OPEN = object()
"""Stands for the value of an anchor whose end has not come."""
_MERGING = object()
"""The key `<<`."""


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being read."""

    value: list[Any] | dict[str, Any]
    line: int
    anchor: str | None
    before: int
    key: Any = None
    key_line: int = 0
    awaits_key: bool = True
    merged: list[Any] = field(default_factory=list)


class _Composer:
    """Builds a value of events, with its lines and its flaws; its work grows with the text alone."""

    def __init__(self, *, is_json: bool = False) -> None:
        self.value: Any = None
        self.lines = _Lines()
        self.flaws: list[Flaw] = []
        self._is_json = is_json
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._size = 0
        self._repeated = 0
        self._documents = 0

    def take(self, events: Iterable[Any]) -> None:
        """Take all events of a text, or as many as its bounds let."""
        for event in events:
            handle = getattr(self, f"_on_{type(event).__name__}", None)
            if handle is not None and (handle(event) is False or len(self.flaws) >= MAX_FAULTS):
                return

    # One method for each kind of event; False ends the reading.

    def _on_DocumentStartEvent(self, event: Any) -> bool:  # noqa: N802
        self._documents += 1
        if self._documents > 1:
            self._flaw(event, "a second document begins; give one")
        return self._documents == 1

    def _on_ScalarEvent(self, event: Any) -> bool:  # noqa: N802
        self._size += 1 + len(event.value) // 32
        value = self._scalar(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1 + len(event.value) // 32)
        return self._put(value, event)

    def _on_AliasEvent(self, event: Any) -> bool:  # noqa: N802
        value, size = self._anchors.get(event.anchor, (_UNREADABLE, 0))
        if event.anchor not in self._anchors:
            self._flaw(event, f"there is no anchor {event.anchor!r} before this alias")
        elif value is _OPEN:
            self._flaw(event, f"the alias {event.anchor!r} stands in what it repeats, which would have no end")
            value = _UNREADABLE
        self._size += size
        self._repeated += size
        if self._repeated > MAX_REPEATED:
            self._flaw(event, f"its aliases repeat more than {MAX_REPEATED} values; use fewer")
            return False
        return self._put(value, event)

    def _on_SequenceStartEvent(self, event: Any) -> bool:  # noqa: N802
        return self._open([], event)

    def _on_MappingStartEvent(self, event: Any) -> bool:  # noqa: N802
        return self._open({}, event)

    def _on_SequenceEndEvent(self, event: Any) -> bool:  # noqa: N802
        return self._close(event)

    def _on_MappingEndEvent(self, event: Any) -> bool:  # noqa: N802
        return self._close(event)

    # -- what the events do

    def _open(self, value: list[Any] | dict[str, Any], event: Any) -> bool:
        if event.tag not in _CONTAINERS:
            self._flaw(event, f"{_shown(event.tag)} is not read; only lists, mappings and single values are")
        if len(self._frames) >= MAX_DEPTH:
            self._flaw(event, _TOO_DEEP)
            return False
        self._size += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = (_OPEN, 0)
        self._frames.append(_Frame(value, event.start_mark.line + 1, event.anchor, self._size))
        return True

    def _close(self, event: Any) -> bool:
        frame = self._frames.pop()
        for source in frame.merged if isinstance(frame.value, dict) else ():
            for name, member in source.items():
                if name not in frame.value:
                    frame.value[name] = member
                    self.lines.note(frame.value, name, self.lines.of(source, name) or frame.line)
        if isinstance(frame.value, dict) and len(frame.value) > MAX_MEMBERS:
            self.flaws.append(Flaw(frame.line, self._place(), _TOO_MANY))
            return False
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.value, self._size - frame.before + 1)
        return self._put(frame.value, event, frame.line)

    def _put(self, value: Any, event: Any, line: int | None = None) -> bool:
        """Give a value to the list or mapping that awaits it."""
        line = event.start_mark.line + 1 if line is None else line
        if not self._frames:
            self.value = self.lines.root = value
            self.lines.root_line = line
            return True
        frame = self._frames[-1]
        if isinstance(frame.value, list):
            self.lines.note(frame.value, len(frame.value), line)
            frame.value.append(value)
        elif frame.awaits_key:
            frame.key, frame.key_line, frame.awaits_key = value, line, False
            self._check_key(frame, event)
        else:
            frame.awaits_key = True
            self._put_member(frame, value, event)
        return True

    def _check_key(self, frame: _Frame, event: Any) -> None:
        key = frame.key
        if isinstance(key, str):
            if key in frame.value:
                self._flaw(event, _TWICE, key)
        elif key is _MERGING:
            if frame.merged:
                self._flaw(event, _TWICE, "<<")
        elif key is not _UNREADABLE:
            self._flaw(event, "a name must be a text; put it in quotes")

    def _put_member(self, frame: _Frame, value: Any, event: Any) -> None:
        assert isinstance(frame.value, dict)
        if isinstance(frame.key, str):
            frame.value[frame.key] = value
            self.lines.note(frame.value, frame.key, frame.key_line)
        elif frame.key is _MERGING:
            sources = value if isinstance(value, list) else [value]
            frame.merged += [source for source in sources if isinstance(source, dict)]
            if any(not isinstance(source, dict) and source is not _UNREADABLE for source in sources):
                self._flaw(event, "<< merges a mapping or a list of mappings")

    def _scalar(self, event: Any) -> Any:
        plain, quoted = event.implicit
        tag = self._resolved(event.value) if plain else _STR
        if not plain and not quoted and event.tag != tag:
            looks = self._resolved(event.value)
            if event.tag not in (looks, "!"):
                self._flaw(event, f"{_shown(event.tag)} is not read; leave the tag out")
                return _UNREADABLE
            tag = _STR if event.tag == "!" else looks
        if tag == _STR or self._is_json:
            return event.value
        if tag == _MERGE:
            is_key = bool(self._frames) and isinstance(self._frames[-1].value, dict) and self._frames[-1].awaits_key
            return _MERGING if is_key else event.value
        try:
            return self._construct(tag, event.value)
        except ValueError as error:
            self._flaw(event, str(error))
            return _UNREADABLE

    def _resolved(self, text: str) -> str:
        for tag, pattern in [*_RESOLVERS.get(text[:1], ()), *_RESOLVERS.get(None, ())]:
            if pattern.match(text):
                return str(tag)
        return _STR

    @staticmethod
    def _construct(tag: str, text: str) -> Any:
        node = yaml.ScalarNode(tag, text)
        if tag == _INT:
            return _integer(text, lambda _: _CONSTRUCTOR.construct_yaml_int(node))
        if tag == _FLOAT:
            return _decimal(text, lambda _: _CONSTRUCTOR.construct_yaml_float(node))
        return _CONSTRUCTOR.construct_yaml_bool(node) if tag == _BOOL else None

    # -- what is said of it

    def _place(self) -> Place:
        """Where the next value will stand."""
        parts: list[str | int] = []
        for frame in self._frames:
            if isinstance(frame.value, list):
                parts.append(len(frame.value))
            elif not frame.awaits_key:
                parts += [frame.key] if isinstance(frame.key, str) else ["<<"] if frame.key is _MERGING else []
        return tuple(parts)

    def _flaw(self, event: Any, message: str, key: str | None = None) -> None:
        place = self._place()
        if key is not None and place[-1:] != (key,):
            place = (*place, key)
        self.flaws.append(Flaw(event.start_mark.line + 1, place, message))


def _shown(tag: str) -> str:
    return f"the tag {tag.replace('tag:yaml.org,2002:', '!!')}"
