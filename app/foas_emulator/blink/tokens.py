"""Blink SQL as tokens: comments gone, quotes and parentheses known to be balanced."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from foas_emulator.blink.errors import SqlError


class Kind(Enum):
    """What a token is, as far as a tolerant reader cares."""

    WORD = auto()
    QUOTED = auto()
    STRING = auto()
    SYMBOL = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the code; `text` is what it means (quotes removed), `keyword` its upper case if it could be one."""

    kind: Kind
    text: str
    offset: int
    keyword: str

    @property
    def is_name(self) -> bool:
        """Whether it can name a table, a column or a function."""
        return self.kind is Kind.WORD or self.kind is Kind.QUOTED

    def is_symbol(self, text: str) -> bool:
        return self.kind is Kind.SYMBOL and self.text == text


# Possessive quantifiers keep the reader linear on any text. Strings know doubled quotes but no backslashes, and `//`
# starts a comment, as in Calcite's lexer; `#` starts one in the properties that the console mixes with code.
# It is compiled when SQL is first read: that takes two milliseconds, and a start reads none.
_PATTERN = r"""
    (?P<skip>(?:\s++ | --[^\n]*+ | //[^\n]*+ | \#[^\n]*+ | /\*.*?\*/)++)
    | (?:[Nn]|[Uu]&|_[A-Za-z0-9]++)?'(?P<string>[^']*+(?:''[^']*+)*+)'
    | "(?P<double>[^"]*+(?:""[^"]*+)*+)"
    | `(?P<back>[^`]*+(?:``[^`]*+)*+)`
    | (?P<open>/\*|['"`])
    | (?P<word>[\w$]++)
    | (?P<symbol>.)
    """
_KINDS = {"string": Kind.STRING, "double": Kind.QUOTED, "back": Kind.QUOTED, "word": Kind.WORD, "symbol": Kind.SYMBOL}
_QUOTES = {"string": "'", "double": '"', "back": "`"}
_UNTERMINATED = {
    "/*": "Unterminated comment",
    "'": "Unterminated string",
    '"': "Unterminated quotation",
    "`": "Unterminated identifier",
}


MOST_TOKENS = 10_000
"""Words and signs of the longest script that is read, some hundred kilobytes of SQL: a few dozen milliseconds' work."""


class Positions:
    """Finds line and column, both from 1, of an offset in the code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def error(self, message: str, offset: int) -> SqlError:
        line = self._code.count("\n", 0, offset) + 1
        return SqlError(message, line=line, column=offset - self._code.rfind("\n", 0, offset))


def tokens_of(code: str, positions: Positions) -> Iterator[Token]:
    """The tokens of the code.

    Raises `SqlError` where a quote or a comment is opened and never closed, and where there are more than
    `MOST_TOKENS`.
    """
    found = 0
    for match in re.finditer(_PATTERN, code, re.VERBOSE | re.DOTALL):
        group = str(match.lastgroup)
        if group == "skip":
            continue
        found += 1
        if found > MOST_TOKENS:
            raise positions.error(
                f"The script goes on here; the emulator reads {MOST_TOKENS} words and signs of one", match.start()
            )
        text = match[group]
        if group == "open":
            raise positions.error(f"{_UNTERMINATED[text]}, {text} is never closed", match.start())
        if quote := _QUOTES.get(group):
            text = text.replace(quote * 2, quote)
        kind = _KINDS[group]
        yield Token(kind, text, match.start(), text.upper() if kind is Kind.WORD else "")


def check_parentheses(tokens: Iterable[Token], positions: Positions) -> None:
    """Raises `SqlError` for a parenthesis that has no partner: the first closing, else the innermost opening one."""
    opened: list[Token] = []
    for token in tokens:
        if token.is_symbol("("):
            opened.append(token)
        elif token.is_symbol(")"):
            if not opened:
                raise positions.error("Encountered ) without an opening parenthesis", token.offset)
            opened.pop()
    if opened:
        raise positions.error("Encountered ( without a closing parenthesis", opened[-1].offset)
