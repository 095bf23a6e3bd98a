"""Find the relations that a query reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from foas_emulator.blink.tokens import Token

_QUERY_STARTS = frozenset({"SELECT", "WITH", "VALUES"})
_CLAUSES_AFTER_FROM = frozenset(
    {"WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "EXCEPT", "INTERSECT", "MINUS", "WINDOW", "EMIT"}
)
_TURNS = _QUERY_STARTS | _CLAUSES_AFTER_FROM | {"FROM", "JOIN"}
"""The words after which names mean something else; most words of a script are none of them."""
_TEMPORAL = ("FOR", "SYSTEM_TIME", "AS", "OF")


@dataclass(frozen=True, slots=True)
class Reference:
    """A relation named after FROM, JOIN or a comma between relations.

    `temporal`: joined as of a point in time, so it is a dimension table. `qualified`: with a catalog or a database.
    """

    name: str
    offset: int
    qualified: bool = False
    function: bool = False
    temporal: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """The relations that a query reads, sub-queries included, in order of mention, and the names in WITH clauses.

    These names are taken to be valid in the whole query, which is more lenient than the scopes of the standard.
    """

    references: tuple[Reference, ...]
    common_tables: frozenset[str]


@dataclass(slots=True)
class _Scope:
    """One level of parentheses: whether the next token names a relation, and whether one must follow a comma."""

    opened_at: int = 0
    awaiting: bool = False
    in_from: bool = False
    selecting: bool = False


class _Walk:
    """One pass over a query, with a stack instead of recursion, so that its depth does not matter."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.references: list[Reference] = []
        self.common_tables: set[str] = set()
        self._tokens = tokens
        self._index = 0
        self._scopes = [_Scope()]
        self._opened_at: dict[int, int] = {}

    def run(self) -> None:
        while self._index < len(self._tokens):
            token = self._tokens[self._index]
            scope = self._scopes[-1]
            if token.symbol == "(":
                self._read_common_table()
                self._scopes.append(_Scope(self._index, awaiting=scope.awaiting, in_from=scope.awaiting))
                scope.awaiting = False
            elif token.symbol == ")":
                self._opened_at[self._index] = self._scopes.pop().opened_at
            elif scope.awaiting and token.keyword not in _QUERY_STARTS:
                self._read_relation(scope, token)
            else:
                self._read_word(scope, token)
            self._index += 1

    def _read_word(self, scope: _Scope, token: Token) -> None:
        if (token.keyword not in _TURNS and token.symbol != ",") or self._is_symbol(-1, "."):
            return
        if token.keyword in _QUERY_STARTS:
            # A WITH inside a FROM clause that already names relations is a hint, not a query.
            scope.in_from = scope.in_from and token.keyword == "WITH" and not scope.awaiting
            scope.awaiting = False
            scope.selecting = token.keyword == "SELECT"
        elif token.keyword == "FROM" and scope.selecting and not self._follows_is_distinct():
            scope.selecting, scope.in_from, scope.awaiting = False, True, True
        elif scope.in_from and (token.keyword == "JOIN" or token.symbol == ","):
            scope.awaiting = True
        elif token.keyword in _CLAUSES_AFTER_FROM:
            scope.in_from = False

    def _read_relation(self, scope: _Scope, token: Token) -> None:
        if token.keyword == "LATERAL":
            return
        scope.awaiting = False
        if token.keyword == "TABLE" and self._is_symbol(1, "("):
            self._read_table_function()
        elif token.is_name:
            self._read_name(token)

    def _read_table_function(self) -> None:
        name = self._tokens[self._index + 2]
        if name.is_name:
            self.references.append(Reference(name.text, name.offset, function=True))

    def _read_name(self, first: Token) -> None:
        parts = [first.text]
        while self._is_symbol(1, ".") and (part := self._at(2)) and part.is_name:
            parts.append(part.text)
            self._index += 2
        self.references.append(
            Reference(
                ".".join(parts),
                first.offset,
                qualified=len(parts) > 1,
                function=self._is_symbol(1, "("),
                temporal=self._is_temporal(),
            )
        )

    def _read_common_table(self) -> None:
        """Record the name in `name [(columns)] AS (SELECT`; the current token is the last parenthesis."""
        query_follows = self._keyword(1) in _QUERY_STARTS or self._is_symbol(1, "(")
        if self._keyword(-1) != "AS" or not query_follows:
            return
        name = self._index - 2
        if self._is_symbol(-2, ")"):
            name = self._opened_at[name] - 1
        if name >= 0 and self._tokens[name].is_name:
            self.common_tables.add(self._tokens[name].text.casefold())

    def _is_temporal(self) -> bool:
        # The alias may stand before the clause, with or without AS.
        skipped = {"AS": 3, "FOR": 1}.get(self._keyword(1), 2)
        if self._keyword(skipped) != "FOR":
            return False
        return all(self._keyword(skipped + step) == word for step, word in enumerate(_TEMPORAL))

    def _follows_is_distinct(self) -> bool:
        return self._keyword(-1) == "DISTINCT" and self._keyword(-2) in {"IS", "NOT"}

    def _keyword(self, distance: int) -> str:
        token = self._at(distance)
        return token.keyword if token else ""

    def _is_symbol(self, distance: int, text: str) -> bool:
        token = self._at(distance)
        return token is not None and token.symbol == text

    def _at(self, distance: int) -> Token | None:
        index = self._index + distance
        return self._tokens[index] if 0 <= index < len(self._tokens) else None


def query_of(tokens: Sequence[Token]) -> Query:
    """Return the relations that a query reads, given its tokens, whose parentheses must be balanced."""
    walk = _Walk(tokens)
    walk.run()
    return Query(tuple(walk.references), frozenset(walk.common_tables))
