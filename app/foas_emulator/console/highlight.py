"""SQL as lines of coloured pieces: pairs of a class of the style sheet and a text, which the template escapes."""

import re
from collections.abc import Iterator

Piece = tuple[str, str]

MOST_CHARACTERS = 100_000

_WORDS = (
    "ADD ALL AND AS ASC BETWEEN BIGINT BOOLEAN BY CASE CAST CREATE CROSS DATE DECIMAL DELAY DESC DISTINCT DOUBLE ELSE "
    "EMIT END EXISTS FALSE FLOAT FOR FROM FULL FUNCTION GROUP HAVING HOP IF IN INNER INSERT INT INTEGER INTERVAL INTO "
    "IS JOIN KEY LATERAL LEFT LIKE LIMIT MINUTE NOT NULL OF ON OR ORDER OUTER OVER PARTITION PERIOD PRIMARY PROCTIME "
    "REPLACE RIGHT SELECT SESSION SET SMALLINT SYSTEM_TIME TABLE THEN TIME TIMESTAMP TINYINT TRUE TUMBLE UNION UPDATE "
    "VALUES VARBINARY VARCHAR VIEW WATERMARK WHEN WHERE WITH"
)
_KEYWORDS = frozenset(_WORDS.split())
_TOKEN = re.compile(
    r"(?P<c>--[^\n]*+|//[^\n]*+|\#[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?)|(?P<s>'[^']*+'?|`[^`]*+`?)"
    r"|(?P<w>[A-Za-z_][A-Za-z0-9_]*+)|(?P<n>\d[\d.]*+)|(?P<o>[^\w'`#/-]++|.)",
    re.DOTALL,
)


def highlighted(code: str) -> list[list[Piece]]:
    """Return the code by lines, cut after a hundred thousand characters."""
    lines: list[list[Piece]] = [[]]
    for kind, text in _pieces(code[:MOST_CHARACTERS]):
        first, *rest = text.split("\n")
        if first:
            lines[-1].append((kind, first))
        lines += [[(kind, each)] if each else [] for each in rest]
    return lines


def _pieces(code: str) -> Iterator[Piece]:
    for match in _TOKEN.finditer(code):
        kind, text = str(match.lastgroup), match[0]
        if kind == "w":
            yield ("k" if text.upper() in _KEYWORDS else "", text)
        else:
            yield ("" if kind == "o" else kind, text)
