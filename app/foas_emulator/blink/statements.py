"""The statements of a Blink SQL script, parsed tolerantly: unknown syntax is skipped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile

from foas_emulator.blink.references import Query, query_of
from foas_emulator.blink.tokens import Kind, Positions, Token, check_parentheses

_BEFORE_KIND = frozenset({"OR", "REPLACE", "TEMPORARY", "SYSTEM"})
_BEFORE_NAME = frozenset({"IF", "NOT", "EXISTS"})
_BEGINNINGS = frozenset(
    {
        *("CREATE", "INSERT", "USE", "SELECT", "WITH", "VALUES", "SET", "RESET", "DROP", "ALTER", "SHOW"),
        *("DESCRIBE", "DESC", "EXPLAIN", "ANALYZE", "BEGIN", "END"),
    }
)
_BEFORE_TARGET = frozenset({"TABLE"})
_CUT_BEFORE = frozenset({"CREATE", "INSERT"})
_DEPTHS = {"(": 1, ")": -1}
"""The signs that change how deep the tokens after them are in parentheses."""


@dataclass(frozen=True, slots=True)
class Table:
    """CREATE TABLE: a declared reference to an external store; `computed` names its computed columns."""

    name: str
    offset: int
    computed: tuple[str, ...]
    watermark: bool
    dimension: bool
    properties: Mapping[str, str]

    @property
    def key(self) -> str:
        """The name for comparisons, which ignore case."""
        return self.name.casefold()

    def property_of(self, *names: str) -> str | None:
        """Return the first of these properties that is set, ignoring the case of their names."""
        folded = {key.casefold(): value for key, value in self.properties.items()}
        return next((folded[name.casefold()] for name in names if name.casefold() in folded), None)


@dataclass(frozen=True, slots=True)
class View:
    """CREATE VIEW: a named query."""

    name: str
    query: Query
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """CREATE FUNCTION: a name for a class of a package."""

    name: str
    class_name: str


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT INTO: a query whose result a job writes into a table."""

    target: str
    offset: int
    qualified: bool
    query: Query
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """USE: after it, a catalog may have tables that the script does not declare."""


@dataclass(frozen=True, slots=True)
class Select:
    """A query that stands alone."""

    query: Query


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part that does not begin with a word that begins a known statement, and is skipped."""

    word: str
    offset: int


Statement = Table | View | Function | Insert | Use | Select | Unknown


def statements_of(tokens: Sequence[Token], positions: Positions) -> Iterator[Statement]:
    """Yield the statements that concern tables, and the unknown parts.

    Raise `SqlError` for unbalanced parentheses.
    """
    for part in _cut(tokens, positions):
        statement = _read(part)
        if statement is not None:
            yield statement


def _cut(tokens: Sequence[Token], positions: Positions) -> Iterator[Sequence[Token]]:
    """Split at semicolons, and before CREATE and INSERT, since the documentation's own scripts omit semicolons."""
    start = 0
    for index in (*(index for index, token in enumerate(tokens) if token.symbol == ";"), len(tokens)):
        part = tokens[start:index]
        check_parentheses(part, positions)
        yield from _cut_at_beginnings(part)
        start = index + 1


def _cut_at_beginnings(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    depth = start = 0
    for index, token in enumerate(tokens):
        depth += _DEPTHS.get(token.symbol, 0)
        if token.keyword in _CUT_BEFORE and depth == 0 and _begins_statement(tokens, index):
            yield tokens[start:index]
            start = index
    yield tokens[start:]


def _begins_statement(tokens: Sequence[Token], index: int) -> bool:
    following = tokens[index + 1] if index + 1 < len(tokens) else None
    if following is None or (index and tokens[index - 1].symbol == "."):
        return False
    keyword = tokens[index].keyword
    return (keyword == "CREATE" and following.kind is Kind.WORD) or (
        keyword == "INSERT" and following.keyword in {"INTO", "OVERWRITE"}
    )


def _read(tokens: Sequence[Token]) -> Statement | None:
    first = tokens[0].keyword if tokens else ""
    if first == "CREATE":
        return _read_create(tokens)
    if first == "INSERT" and _begins_statement(tokens, 0):
        return _read_insert(tokens)
    if first == "USE":
        return Use()
    if first in {"SELECT", "WITH"}:
        return Select(query_of(tokens))
    return Unknown(tokens[0].text, tokens[0].offset) if tokens and not _is_known(tokens) else None


def _is_known(tokens: Sequence[Token]) -> bool:
    """Whether these are the tokens of a statement, of a query in parentheses, or of a property: `a.b=c`."""
    if tokens[0].keyword in _BEGINNINGS or tokens[0].symbol == "(":
        return True
    name = takewhile(lambda token: token.kind is Kind.WORD or token.symbol == ".", tokens)
    following = tokens[length] if 0 < (length := len(list(name))) < len(tokens) else None
    return following is not None and following.symbol == "="


def _read_create(tokens: Sequence[Token]) -> Statement | None:
    index = _skip(tokens, 1, _BEFORE_KIND)
    kind = tokens[index].keyword if index < len(tokens) else ""
    parts, offset, rest = _name(tokens, _skip(tokens, index + 1, _BEFORE_NAME))
    if not parts:
        return None
    name = ".".join(parts)
    if kind == "TABLE":
        return _table(name, offset, rest)
    if kind == "VIEW":
        return View(name, query_of(rest), _keywords(rest))
    if kind == "FUNCTION":
        return Function(name, next((token.text for token in rest if token.kind is Kind.STRING), ""))
    return None


def _read_insert(tokens: Sequence[Token]) -> Insert | None:
    parts, offset, rest = _name(tokens, _skip(tokens, 2, _BEFORE_TARGET))
    if not parts:
        return None
    return Insert(".".join(parts), offset, len(parts) > 1, query_of(rest), _keywords(rest))


def _table(name: str, offset: int, tokens: Sequence[Token]) -> Table:
    columns = _group(tokens, 0) if tokens and tokens[0].symbol == "(" else ()
    beginnings = [[token.keyword for token in element[:3]] for element in _split(columns)]
    return Table(
        name,
        offset,
        computed=tuple(element[0].text for element in _split(columns) if _is_computed(element)),
        watermark=any(words[:1] == ["WATERMARK"] and "FOR" in words for words in beginnings),
        dimension=any(words[:2] == ["PERIOD", "FOR"] for words in beginnings),
        properties=_properties(_group(tokens, _with_index(tokens) + 1)),
    )


def _with_index(tokens: Sequence[Token]) -> int:
    pairs = enumerate(pairwise(tokens))
    found = (index for index, (token, following) in pairs if token.keyword == "WITH" and following.symbol == "(")
    return next(found, len(tokens))


def _is_computed(element: Sequence[Token]) -> bool:
    return len(element) > 1 and element[0].is_name and element[1].keyword == "AS"


def _properties(tokens: Sequence[Token]) -> dict[str, str]:
    """Return the `key = value` pairs of a WITH clause; commas may be missing, keys dotted or quoted, values bare."""
    equals = [index for index, token in enumerate(tokens) if token.symbol == "="]
    starts = [*(_key_start(tokens, index) for index in equals), len(tokens)]
    properties: dict[str, str] = {}
    for position, index in enumerate(equals):
        key = "".join(token.text for token in tokens[starts[position] : index])
        properties[key] = _value(tokens[index + 1 : starts[position + 1]])
    return properties


def _key_start(tokens: Sequence[Token], equals: int) -> int:
    start = max(equals - 1, 0)
    while start > 1 and tokens[start - 1].symbol == ".":
        start -= 2
    return start


def _value(tokens: Sequence[Token]) -> str:
    if tokens and tokens[0].kind is Kind.STRING:
        return tokens[0].text
    end = next((index for index, token in enumerate(tokens) if token.symbol == ","), len(tokens))
    return "".join(token.text for token in tokens[:end])


def _name(tokens: Sequence[Token], start: int) -> tuple[tuple[str, ...], int, Sequence[Token]]:
    """Return the parts of the name at `start`, its offset, and the tokens after it; no parts if there is no name."""
    if start >= len(tokens) or not tokens[start].is_name:
        return (), 0, ()
    end = start + 1
    while end + 1 < len(tokens) and tokens[end].symbol == "." and tokens[end + 1].is_name:
        end += 2
    return tuple(token.text for token in tokens[start:end:2]), tokens[start].offset, tokens[end:]


def _skip(tokens: Sequence[Token], start: int, keywords: frozenset[str]) -> int:
    return next((index for index in range(start, len(tokens)) if tokens[index].keyword not in keywords), len(tokens))


def _group(tokens: Sequence[Token], start: int) -> Sequence[Token]:
    """Return the tokens between the parenthesis at `start` and its counterpart."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += _DEPTHS.get(tokens[index].symbol, 0)
        if depth == 0:
            return tokens[start + 1 : index]
    return ()


def _split(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    depth = start = 0
    for index, token in enumerate(tokens):
        depth += _DEPTHS.get(token.symbol, 0)
        if depth == 0 and token.symbol == ",":
            yield tokens[start:index]
            start = index + 1
    yield tokens[start:]


def _keywords(tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(token.keyword for token in tokens if token.keyword)
