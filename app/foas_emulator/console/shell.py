"""Command lines that a shell reads as they are, whatever programs sent: a word of theirs never ends its quotes."""

import re
import shlex
from collections.abc import Iterable

_ENDS = re.compile(r"['\\\u2018-\u201b]+")
"""Characters that end or change a text in single quotes: a backslash in fish, typographic quotes in PowerShell."""
_KEYS = re.compile(r"[\0-\x09\x0b\x0c\x0e-\x1f\x7f]")
"""Characters that a terminal takes for keys when a line is pasted, in whatever quotes.

Delete erases the quotes; Tab completes the name of a file and closes them; what follows is run.
"""


def shell_line(words: Iterable[str]) -> str:
    """Return a command for sh, bash, zsh and fish, "" if it cannot be pasted into a terminal.

    PowerShell runs no part of a word either; cmd has other quotes.
    """
    line = " ".join(map(_quoted, words))
    return "" if _KEYS.search(line) else line


def _quoted(word: str) -> str:
    return word if shlex.quote(word) == word else f"'{_ENDS.sub(_in_double_quotes, word)}'"


def _in_double_quotes(found: re.Match[str]) -> str:
    return "'\"" + found[0].replace("\\", "\\\\") + "\"'"
