"""Find what could take Python's matcher of regular expressions more than linear time.

The matcher tries every way through a pattern before it gives up. A text that leads from a place in a loop back to it in
two ways doubles the tries with each repetition; one that keeps two loops busy, and also leads from the first into the
second, multiplies them by its length. Both are found in the automaton whose states are the places of a pattern, and
whose edges are the characters that may be read. A search begins anywhere: a loop over all characters stands before it.
"""

import importlib
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple

_COMPILER: Any = importlib.import_module("re._compiler")
_PARSER: Any = importlib.import_module("re._parser")
_FIRST, _END = "first", "end"
"""Stand for what comes before a text, and for that a place ends a match whatever comes next."""
_CODES = (*range(0x180), 0x3B1, 0x660, 0x2028, 0x202E, 0x212A, 0xD800, 0xDFFF, 0xE000, 0xFFFD, 0x1F600)
_CHARACTERS = frozenset(map(chr, _CODES))
"""Characters that stand for all others."""
_ALL = _CHARACTERS | {_FIRST, _END}
_FEW = 20
"""Repetitions that are written out; more are taken for any number."""
_START = 0

Ends = list[tuple[int, frozenset[str]]]


class Part(NamedTuple):
    """A piece of a pattern: its first and last places, each with what may be read next."""

    first: Ends
    last: Ends
    skip: frozenset[str] | None
    """What may be read next if the piece matches nothing; None if it matches something."""


_NOTHING = Part([], [], _ALL)


class Automaton:
    """The places of a pattern, and the edges between them."""

    def __init__(self, pattern: str | bytes, flags: int, method: str) -> None:
        """Take the method of `re` that uses the pattern: a match begins at one place, a search at any."""
        self._edges: list[tuple[int, int, frozenset[str]]] = []
        self._places = 1
        self._outermost: dict[int, int] = {}  # atomic groups that are in no loop, by their places
        self._depth = 0
        self._groups: dict[int, Any] = {}
        parsed = _PARSER.parse(pattern, flags)
        self._state = parsed.state
        whole = self._sequence(parsed, 0)
        self._connect([(_START, _ALL)], whole.first)
        if method not in {"match", "fullmatch"}:
            self._edges.append((_START, _START, _CHARACTERS))
        self._has_to_end = method == "fullmatch"
        self._accepting = {place for place, after in whole.last if _END in after}
        self._after: dict[tuple[int, str], list[int]] = {}
        kinds = {tuple(each in read for *_, read in self._edges): each for each in sorted(_ALL, reverse=True)}
        self._next: dict[int, set[int]] = {place: set() for place in range(self._places)}
        self._alphabet = sorted(kinds.values())
        for place, following, read in self._edges:
            self._next[place].add(following)
            for character in read.intersection(self._alphabet):
                self._after.setdefault((place, character), []).append(following)

    def _sequence(self, items: Iterable[Any], flags: int) -> Part:
        whole = _NOTHING
        for operator, value in items:
            whole = self._join(whole, self._part(operator, value, flags))
        return whole

    def _join(self, one: Part, other: Part) -> Part:
        self._connect(one.last, other.first)
        first = [] if one.skip is None else [(place, read & one.skip) for place, read in other.first]
        last = [] if other.skip is None else [(place, after & other.skip) for place, after in one.last]
        skip = None if one.skip is None or other.skip is None else one.skip & other.skip
        return Part(one.first + first, last + other.last, skip)

    def _connect(self, last: Ends, first: Ends) -> None:
        self._edges += [(p, q, after & read) for (p, after), (q, read) in product(last, first) if after & read]

    def _part(self, operator: Any, value: Any, flags: int) -> Part:
        kind = str(operator)
        if kind == "SUBPATTERN":
            group, added, removed, self._groups[group] = value
            flags = (flags | added) & ~removed
            part = self._sequence(self._groups[group], flags)
        elif kind == "GROUPREF":
            part = self._sequence(self._groups[value], flags)
        elif kind == "ATOMIC_GROUP":
            before, part = self._places, self._sequence(value, flags)
            if not self._depth:
                self._outermost |= dict.fromkeys(range(before, self._places), before)
        elif kind == "BRANCH":
            parts = [self._sequence(each, flags) for each in value[1]]
            skips = [each.skip for each in parts if each.skip is not None]
            first, last = [end for each in parts for end in each.first], [end for each in parts for end in each.last]
            part = Part(first, last, frozenset[str]().union(*skips) if skips else None)
        elif kind.endswith("REPEAT"):
            part = self._repeated(kind, value, flags)
        elif str(value) == "AT_BEGINNING":
            part = self._place(frozenset("\n" if (self._state.flags | flags) & re.MULTILINE else {_FIRST}))
        elif kind.startswith(("AT", "ASSERT")):
            assert "MAXREPEAT" not in str(value), "a loop in an assertion"
            part = _NOTHING._replace(skip=_ALL - {_END})
        else:
            leaf = _COMPILER.compile(_PARSER.SubPattern(self._state, [(operator, value)]), flags)
            part = self._place(frozenset(filter(leaf.fullmatch, _CHARACTERS)))
        return part

    def _place(self, read: frozenset[str]) -> Part:
        assert read, "none of the characters that stand for all others"
        self._places += 1
        return Part([(self._places - 1, read)], [(self._places - 1, _ALL)], None)

    def _repeated(self, kind: str, value: tuple[int, int, Any], flags: int) -> Part:
        least, most, inner = value
        if most <= _FEW:
            tail = _NOTHING
            for number in reversed(range(most)):
                tail = self._join(self._sequence(inner, flags), tail)
                tail = tail if number < least else tail._replace(skip=_ALL)
            return tail
        self._depth += 1
        first, last, skip = self._sequence(inner, flags)
        self._depth -= 1
        self._connect(last, first)
        skip = skip if least else _ALL
        if kind == "POSSESSIVE_REPEAT":  # what it can take, it takes
            ends = {place for place, _ in last}
            left = _ALL.difference(*(read for place, read in first if place in ends))
            last, skip = [(place, after & left) for place, after in last], None if skip is None else skip & left
        return Part(first, last, skip)

    def ambiguities(self) -> Iterator[str]:
        """Say which texts, repeated, take the matcher more than linear time."""
        reached = {place: self._reached(place, set()) for place in range(self._places)}
        ends = set[int]() if self._has_to_end else self._accepting  # at one of them, it gives up no more
        within = {place: self._reached(place, ends) for place in reached}
        around = {place: {each for each in within[place] if place in within[each]} for place in reached}
        failing = [place for place in around if place in around[place] and self._may_fail(place)]
        for p in failing:
            if text := self._text((p, p, False), (p, p, True), [around[p], around[p]]):
                yield f"exponential: {text!r}"
        for p, q in product(around, failing):
            is_given_up = self._outermost.get(p) == self._outermost.get(q) or p not in self._outermost
            if p != q and p in around[p] and q in reached[p] and is_given_up:
                between = {place for place in reached if q in reached[place]}
                if text := self._text((p, p, q), (p, q, q), [around[p], between, around[q]]):
                    yield f"polynomial: {text!r}"

    def _reached(self, place: int, without: set[int]) -> set[int]:
        found: set[int] = set()
        waiting = [place]
        while waiting:
            new = self._next[waiting.pop()] - found - without
            found |= new
            waiting += new
        return found

    def _may_fail(self, place: int) -> bool:
        """Whether some text that is read from a place on matches in no way."""
        begin = frozenset({place})
        found, waiting = {begin}, [begin]
        while waiting and self._has_to_end:
            places = waiting.pop()
            if not places & self._accepting:
                return True
            for character in _CHARACTERS.intersection(self._alphabet):
                following = frozenset(q for p in places for q in self._after.get((p, character), ()))
                if following not in found:
                    found.add(following)
                    waiting.append(following)
        return not self._has_to_end

    def _text(self, begin: tuple[int, ...], end: tuple[int, ...], kept: list[set[int]]) -> str | None:
        """Return a text that leads from some places to others at once.

        Begin and end may have one number more than places are kept: whether two of them have gone different ways.
        """
        found, waiting = {begin}, deque([(begin, "")])
        while waiting:
            now, text = waiting.popleft()
            for character in self._alphabet:
                edges = [enumerate(self._after.get((place, character), ())) for place in now[: len(kept)]]
                for way in product(*edges):
                    following = tuple(place for _, place in way)
                    if len(now) > len(kept):
                        following += (now[2] or len(set(way if now[0] == now[1] else following)) > 1,)
                    if following == end:
                        return text + character
                    is_kept = all(place in places for place, places in zip(following, kept, strict=False))
                    if is_kept and following not in found:
                        found.add(following)
                        waiting.append((following, text + character))
        return None
