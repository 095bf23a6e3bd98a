"""Command lines that a shell reads as they are, whatever programs sent: a word of theirs never ends its quotes."""

import re
import shlex
from collections.abc import Iterable

_ENDS = re.compile(r"['\\\u2018-\u201b]+")
"""Characters that end or change a text in single quotes: a backslash in fish, typographic quotes in PowerShell."""
_KEYS = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Characters that a terminal takes for keys when a line is pasted: one of them ends the line, what follows is run."""


def has_keys(text: bytes) -> bool:
    """Whether a text cannot be pasted into a terminal, in whatever quotes: Delete, for one, erases the quotes."""
    return _KEYS.search(text) is not None


def shell_line(words: Iterable[str]) -> str:
    """Return a command for sh, bash, zsh and fish. PowerShell runs no part of a word either; cmd has other quotes."""
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    return word if shlex.quote(word) == word else f"'{_ENDS.sub(_in_double_quotes, word)}'"


def _in_double_quotes(found: re.Match[str]) -> str:
    return "'\"" + found[0].replace("\\", "\\\\") + "\"'"
