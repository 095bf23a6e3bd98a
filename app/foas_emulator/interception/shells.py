"""Environment variables in the syntax of each shell, and of tools that read them from files."""

import json
import re
import shlex
from collections.abc import Callable, Mapping

_BEYOND_ASCII = re.compile("[^ -~]+")


def sh(variables: Mapping[str, str]) -> str:
    """Return commands for POSIX shells: `eval "$(foas-emulator env)"`."""
    return _lines(variables, lambda name, value: f"export {name}={shlex.quote(value)}")


def fish(variables: Mapping[str, str]) -> str:
    """Return commands for fish: `foas-emulator env --shell fish | source`."""

    def line(name: str, value: str) -> str:
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        return f"set -gx {name} '{escaped}'"

    return _lines(variables, line)


def powershell(variables: Mapping[str, str]) -> str:
    """Return commands for PowerShell: `foas-emulator env --shell powershell | Out-String | Invoke-Expression`.

    They are in ASCII: PowerShell reads what programs print in the terminal's encoding, which is seldom UTF-8. It also
    takes typographic quotes for the end of a text.
    """

    def line(name: str, value: str) -> str:
        text = _BEYOND_ASCII.sub(_as_characters, value.replace("'", "''"))
        return f"$env:{name} = '{text}'"

    return _lines(variables, line)


def _as_characters(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    numbers = (units[place : place + 2].hex() for place in range(0, len(units), 2))
    return "' + " + "".join(f"[char]0x{number} + " for number in numbers) + "'"


def dotenv(variables: Mapping[str, str]) -> str:
    """Return lines for tools that read .env files; values are in single quotes, so they are taken literally.

    Raise ValueError for a value that cannot be: the tools differ in what else they read.
    """
    for name, value in variables.items():
        if "'" in value or "\n" in value:
            raise ValueError(f"{name} holds a quote or a line end, which a .env file cannot hold; --format json can")
    return _lines(variables, lambda name, value: f"{name}='{value}'")


def as_json(variables: Mapping[str, str]) -> str:
    """Return one JSON object."""
    return json.dumps(variables, indent=2) + "\n"


SHELLS: Mapping[str, Callable[[Mapping[str, str]], str]] = {"sh": sh, "fish": fish, "powershell": powershell}
FORMATS: Mapping[str, Callable[[Mapping[str, str]], str]] = {"dotenv": dotenv, "json": as_json}


def _lines(variables: Mapping[str, str], line: Callable[[str, str], str]) -> str:
    return "".join(f"{line(name, value)}\n" for name, value in variables.items())
