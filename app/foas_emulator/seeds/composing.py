"""Compose YAML from its events, so that every bound is checked before anything is built.

The values that aliases repeat are counted, and the result has only texts, numbers, booleans, nulls, lists and mappings.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from foas_emulator.seeds.freeing import free_with
from foas_emulator.seeds.limits import (
    MAX_DEPTH,
    MAX_FAULTS,
    MAX_ITEMS,
    MAX_MEMBERS,
    MAX_REPEATED,
    TOO_DEEP,
    TOO_MANY,
    TOO_MANY_ITEMS,
    TOO_MANY_PARTS,
    Flaw,
    Place,
    decimal,
    integer,
)

MAX_OUTLINED = 1_000_000
"""The most values of a JSON text whose lines are found, in some two seconds; every 32 characters count as one more."""


class Lines:
    """The line of each member and item, by the list or mapping that contains it."""

    def __init__(self) -> None:
        self.root: Any = None
        self.root_line = 1
        self._of: dict[int, tuple[Any, dict[str | int, int]]] = {}
        """The lines by the identity of the container, which is kept too, so that no other one gets its identity."""
        self.cut_off: set[int] = set()
        """The identities of the containers that were not read to their end."""

    def note(self, container: Any, part: str | int, line: int) -> None:
        self._of.setdefault(id(container), (container, {}))[1][part] = line

    def of(self, container: Any, part: str | int) -> int | None:
        _, lines = self._of.get(id(container), (None, {}))
        return lines.get(part)

    def free_with(self, parts: list[Any]) -> None:
        """Free the lines, and then the lists and mappings, in pieces once nothing refers to this object."""
        free_with(self, self._of, parts)

    def line(self, place: Place) -> int | None:
        """Return the line of a place, of what encloses it if it is not there, or None if it was not read."""
        value, line = self.root, self.root_line
        for part in place:
            found = self.of(value, part)
            if found is None:
                return None if id(value) in self.cut_off else line
            line, value = found, value[part]
        return line


TWICE = "is repeated"
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
"""The patterns by which plain scalars get their types. Dates remain texts, and so does `=`."""
_LONGEST_RESOLVED = 64 * 1024
"""The most characters of a plain scalar that may be anything but a text: nothing else runs during a match."""
_CONSTRUCTOR = SafeConstructor()
_UNREADABLE = object()
"""A placeholder for a value that has a flaw, so that the rest can be checked."""
_OPEN = object()
"""A placeholder for the value of an anchor that is not complete yet."""
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


class Composer:
    """A composer that builds a value from events, with its lines and flaws, in time linear in the text.

    For JSON, whose bounds were checked before, it only finds the lines, of the first `MAX_OUTLINED` values.
    """

    def __init__(self, *, is_json: bool = False) -> None:
        self.value: Any = None
        self.lines = Lines()
        self.flaws: list[Flaw] = []
        self._is_json = is_json
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._size = 0
        self._repeated = 0
        self._documents = 0
        self._parts: list[Any] = []
        """The lists and mappings that are complete, each after those that are in it."""

    def take(self, events: Iterable[Any]) -> None:
        """Process the events of a text, until a bound is exceeded."""
        try:
            for event in events:
                if not self._takes(event) or len(self.flaws) >= MAX_FAULTS:
                    return
                if self._is_json and self._size > MAX_OUTLINED:
                    self._end_early(event)
                    return
        finally:
            self.lines.free_with(self._parts)

    def _takes(self, event: Any) -> bool:
        """Process an event; return False to stop."""
        match event:
            case yaml.ScalarEvent():
                goes_on = self._add_scalar(event)
            case yaml.SequenceStartEvent():
                goes_on = self._open([], event)
            case yaml.MappingStartEvent():
                goes_on = self._open({}, event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                goes_on = self._close(event)
            case yaml.AliasEvent():
                goes_on = self._add_alias(event)
            case yaml.DocumentStartEvent():
                goes_on = self._begin_document(event)
            case _:
                goes_on = True
        return goes_on

    def _end_early(self, event: Any) -> None:
        """Close what is open, so that the lines found so far are known."""
        while self._frames:
            frame = self._frames.pop()
            self.lines.cut_off.add(id(frame.value))
            self._put(frame.value, event, frame.line)

    def _begin_document(self, event: Any) -> bool:
        self._documents += 1
        if self._documents > 1:
            self._flaw(event, "a second document begins; give one")
        return self._documents == 1

    def _add_scalar(self, event: Any) -> bool:
        self._size += 1 + len(event.value) // 32
        value = self._scalar(event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1 + len(event.value) // 32)
        return self._put(value, event)

    def _add_alias(self, event: Any) -> bool:
        value, size = self._anchors.get(event.anchor, (_UNREADABLE, 0))
        if event.anchor not in self._anchors:
            self._flaw(event, f"there is no anchor {event.anchor!r} before this alias")
        elif value is _OPEN:
            self._flaw(event, f"the alias {event.anchor!r} refers to a value that contains it, which would never end")
            value = _UNREADABLE
        self._size += size
        self._repeated += size
        if self._repeated > MAX_REPEATED:
            self._flaw(event, f"its aliases repeat more than {MAX_REPEATED} values; use fewer")
            return False
        return self._put(value, event)

    # -- lists, mappings and values

    def _open(self, value: list[Any] | dict[str, Any], event: Any) -> bool:
        if event.tag not in _CONTAINERS:
            self._flaw(event, f"{_shown(event.tag)} is not read; only lists, mappings and single values are")
        if len(self._frames) >= MAX_DEPTH and not self._is_json:
            self._flaw(event, TOO_DEEP)
            return False
        self._size += 1
        if event.anchor is not None:
            self._anchors[event.anchor] = (_OPEN, 0)
        self._frames.append(_Frame(value, event.start_mark.line + 1, event.anchor, self._size))
        return True

    def _close(self, event: Any) -> bool:
        frame = self._frames.pop()
        self._parts.append(frame.value)
        if len(self._parts) > MAX_ITEMS:
            self._flaw(event, TOO_MANY_PARTS)
            return False
        for source in frame.merged if isinstance(frame.value, dict) else ():
            for name, member in source.items():
                if name not in frame.value:
                    frame.value[name] = member
                    self.lines.note(frame.value, name, self.lines.of(source, name) or frame.line)
        if isinstance(frame.value, dict) and len(frame.value) > MAX_MEMBERS and not self._is_json:
            self.flaws.append(Flaw(frame.line, self._place(), TOO_MANY))
            return False
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.value, self._size - frame.before + 1)
        return self._put(frame.value, event, frame.line)

    def _put(self, value: Any, event: Any, line: int | None = None) -> bool:
        """Add a value to the innermost open list or mapping."""
        line = event.start_mark.line + 1 if line is None else line
        if not self._frames:
            self.value = self.lines.root = value
            self.lines.root_line = line
            return True
        frame = self._frames[-1]
        if isinstance(frame.value, list):
            if len(frame.value) >= MAX_ITEMS and not self._is_json:
                self.flaws.append(Flaw(frame.line, self._place()[:-1], TOO_MANY_ITEMS))
                return False
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
                self._flaw(event, TWICE, key)
        elif key is _MERGING:
            if frame.merged:
                self._flaw(event, TWICE, "<<")
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
        if len(text) > _LONGEST_RESOLVED:
            return _STR
        for tag, pattern in [*_RESOLVERS.get(text[:1], ()), *_RESOLVERS.get(None, ())]:
            if pattern.match(text):
                return str(tag)
        return _STR

    @staticmethod
    def _construct(tag: str, text: str) -> Any:
        node = yaml.ScalarNode(tag, text)
        if tag == _INT:
            return integer(text, lambda _: _CONSTRUCTOR.construct_yaml_int(node))
        if tag == _FLOAT:
            return decimal(text, lambda _: _CONSTRUCTOR.construct_yaml_float(node))
        return _CONSTRUCTOR.construct_yaml_bool(node) if tag == _BOOL else None

    # -- flaws

    def _place(self) -> Place:
        """Return the place of the next value."""
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
