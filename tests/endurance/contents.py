"""Hostile contents of a position, of any size: texts, and in documents lists and mappings, too."""

import random
from collections.abc import Callable
from typing import Any

_UNITS = (
    *("a", " ", "ab ", "\t\n", "\r\n# c", "\\", "\\u0041", '"', "'", "''", "`", "*", "?", "[a-z]", "/", "/*", "-- x\n"),
    *("..", "a.b.", "#", "%", "%25", "9", "0", "1e9", "-", "[", '{"a":', "(", ",", ";", "<a>", "&amp;", "&#13;"),
    *("a=1\n", "a=1&", '"a":1,', "a,b;q=0.1,", "2019-08-01 12:00:00,", "1d2h", "${a}", "{a}", "{{", "\x01", "\x7f"),
    *("\x85", "e\u0301\u0323", "\u0130\ufb03", "\u1e9e", "\ufeff", "\u202e", "\U0001f600", "\ud83d"),
    *("&a", "*a ", "- ", "? ", ": ", "|\n ", "!!int ", "<<: ", "SELECT 1;", "SELECT a FROM b JOIN ", "CASE WHEN "),
    *("INSERT INTO a SELECT * FROM b;\n", "CREATE TABLE a (b INT) WITH (c='d');\n"),
    *("password=", "Signature=", "acs ", "-----BEGIN "),
)
"""What a text repeats."""

_PATTERNS = ("k{},", "k{} ", "/k{}", "k{}=v\n", "a{}: b\n", "&k{}=v", "CREATE TABLE t{} (a INT);\n")
"""What stands in a text with one number after the other."""


def text(size: int, chance: random.Random) -> str:
    """Return a text of so many bytes in UTF-8, or a few less."""
    unit = chance.choice((*_UNITS, "", "", chance.choice(_UNITS) + chance.choice(_UNITS)))
    if not unit:  # things that differ
        pattern = chance.choice(_PATTERNS)
        return "".join(pattern.format(number) for number in range(size // (len(pattern) + 3)))
    return unit * (size // len(unit.encode("utf-8", "surrogatepass")))


def _deep(size: int, chance: random.Random) -> Any:
    value: Any = "x"
    for _ in range(min(size // 6, chance.choice((20, 90, 900)))):
        value = {"a": value} if size % 2 else [value]
    return value


def _distinct(size: int, chance: random.Random) -> list[str]:
    common = chance.choice(("k", "k" * 200, "\u0130" * 60))
    return [f"{common}{number}" for number in range(size // (len(common.encode()) + 10))]


_VALUES: tuple[Callable[[int, random.Random], Any], ...] = (
    _deep,
    _distinct,
    lambda size, chance: dict.fromkeys(_distinct(size, chance), 1),
    lambda size, chance: {f"x-{name}": name for name in _distinct(size // 2, chance)},
    lambda size, chance: {text(size, chance): 1},
    lambda size, chance: {"a": text(size, chance)},
    lambda size, chance: [chance.choice((1, "a", None, {}, [], True, 0.5))] * (size // 4),
    lambda size, chance: [dict.fromkeys("abc", text(20, chance))] * (size // 100),
    lambda size, _chance: int("9" * min(size, 4200)),
)


def value(size: int, chance: random.Random) -> Any:
    """Return something that a document may hold."""
    return text(size, chance) if chance.random() < 0.6 else chance.choice(_VALUES)(size, chance)
