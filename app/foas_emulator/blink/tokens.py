"""Split Blink SQL into tokens without comments; check that quotes and parentheses are balanced."""

import re
from collections.abc import Iterable, Iterator
from enum import Enum, auto
from typing import NamedTuple

from foas_emulator.blink.errors import SqlError


class Kind(Enum):
    """The kinds of tokens that a tolerant parser distinguishes."""

    WORD = auto()
    QUOTED = auto()
    STRING = auto()
    SYMBOL = auto()


class Token(NamedTuple):
    """A token; `text` is without quotes, `keyword` the upper case of a word, and `symbol` a sign, else both are empty.

    A script has thousands: a tuple is made in a third of the time of a dataclass.
    """

    kind: Kind
    text: str
    offset: int
    keyword: str
    symbol: str

    @property
    def is_name(self) -> bool:
        """Whether the token can be the name of a table, a column or a function."""
        return self.kind is Kind.WORD or self.kind is Kind.QUOTED


# Possessive quantifiers keep matching linear on any text. Strings allow doubled quotes but no backslashes, and `//`
# starts a comment, as in Calcite's lexer; `#` starts one in the properties that the console mixes with code.
# The pattern is compiled on first use: that takes two milliseconds, and a start reads no SQL.
_PATTERN = r"""
    (?P<skip>(?:\s++ | --[^\n]*+ | //[^\n]*+ | \#[^\n]*+ | /\*.*?\*/)++)
    | (?:[Nn]|[Uu]&|_[A-Za-z0-9]++)?'(?P<string>[^']*+(?:''[^']*+)*+)'
    | "(?P<double>[^"]*+(?:""[^"]*+)*+)"
    | `(?P<back>[^`]*+(?:``[^`]*+)*+)`
    | (?P<open>/\*|['"`])
    | (?P<word>[\w$]++)
    | (?P<symbol>.)
    """
_WORD, _SYMBOL = Kind.WORD, Kind.SYMBOL
_QUOTED = {"string": (Kind.STRING, "'"), "double": (Kind.QUOTED, '"'), "back": (Kind.QUOTED, "`")}
_UNTERMINATED = {
    "/*": "Unterminated comment",
    "'": "Unterminated string",
    '"': "Unterminated quotation",
    "`": "Unterminated identifier",
}


MOST_TOKENS = 10_000
"""The most tokens of a script, some hundred kilobytes of SQL: a few dozen milliseconds' work."""


class Positions:
    """The lines and columns, both from 1, of offsets in the code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def error(self, message: str, offset: int) -> SqlError:
        line = self._code.count("\n", 0, offset) + 1
        return SqlError(message, line=line, column=offset - self._code.rfind("\n", 0, offset))


def tokens_of(code: str, positions: Positions) -> Iterator[Token]:
    """Yield the tokens of the code.

    Raise `SqlError` for a quote or a comment that is never closed, and for more than `MOST_TOKENS` tokens.
    """
    found = 0
    for match in re.finditer(_PATTERN, code, re.VERBOSE | re.DOTALL):
        group = str(match.lastgroup)
        if group == "skip":
            continue
        found += 1
        if found > MOST_TOKENS:
            raise positions.error(
                f"The script is too long from here on; the emulator reads at most {MOST_TOKENS} words and signs",
                match.start(),
            )
        text = match[group]
        if group == "word":
            yield Token(_WORD, text, match.start(), text.upper(), "")
        elif group == "symbol":
            yield Token(_SYMBOL, text, match.start(), "", text)
        elif group == "open":
            raise positions.error(f"{_UNTERMINATED[text]}, {text} is never closed", match.start())
        else:
            kind, quote = _QUOTED[group]
            yield Token(kind, text.replace(quote * 2, quote), match.start(), "", "")


def check_parentheses(tokens: Iterable[Token], positions: Positions) -> None:
    """Raise `SqlError` for an unbalanced parenthesis: the first closing one, else the innermost opening one."""
    opened: list[Token] = []
    for token in tokens:
        if token.symbol == "(":
            opened.append(token)
        elif token.symbol == ")":
            if not opened:
                raise positions.error("Encountered ) without an opening parenthesis", token.offset)
            opened.pop()
    if opened:
        raise positions.error("Encountered ( without a closing parenthesis", opened[-1].offset)
