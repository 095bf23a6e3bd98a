"""Mask the secrets in texts that clients sent, before they are shown to others: in the journal, hints and the log."""

import re

_SECRET = re.compile(
    r"""((?:access[_.-]?key(?:[_.-]?secret)?|(?:security|bearer|zero-trust-id)[_.-]?token|(?<![a-z-])signature|password)
    (?:\[[0-9]+\])? (?:\\?["']|%22|%27)? \s* (?:=|:|>|%3D|%3A) (?:\s|\+|%20)* (?:\\?["']|%22|%27)?)
    (?: (?<=[^\\]") (?:[^"\\\n]|\\.)++ | (?<=[^\\]') (?:[^'\\\n]|\\.|'')++
    | (?<=\\") [^"\\\n]++ | (?<=\\') [^'\\\n]++
    | (?<=%22) (?:[^&\s%]|%(?!22))++ | (?<=%27) (?:[^&\s%]|%(?!27)|%27%27)++
    | (?:[^&\s"'\\%<,;]|%(?!22|27|26|3B|0A|0D|20))++)""",
    re.IGNORECASE | re.VERBOSE,
)
"""The name of a secret with what stands before its value, and the value: a quoted one up to its closing quote.

A quote in a text of SQL is written twice.
"""
_NAMES = ("key", "token", "signature", "password")
"""Words in lower case of which the name of every secret contains one."""
_LONGEST_NAME = 32
"""More characters than the name of any secret has."""
MASK = "***"


def masked(text: str) -> str:
    """Return a text with the values of named secrets masked, be they parameters, members or properties."""
    folded = text.casefold()
    if not any(name in folded for name in _NAMES):
        return text  # most texts name no secret, and the pattern is slow
    return _SECRET.sub(rf"\g<1>{MASK}", text)


def names_secret(name: str) -> bool:
    """Whether the value of a parameter or a member of this name is masked, as it is in the text of a body."""
    given = f"{name[-_LONGEST_NAME:]}=x"  # a name may have megabytes, and the pattern is slow
    return masked(given) != given
