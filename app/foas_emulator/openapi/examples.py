"""The examples of every operation, which `scripts/examples.py` records from the emulator's answers."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

FILE = "examples.json"
_FIXTURES = "foas_emulator.fixtures"


@cache
def examples() -> Mapping[str, Any]:
    """Return by operation the `request`, its `answer`, and the `errors` of similar calls."""
    recorded: Mapping[str, Any] = json.loads(files(_FIXTURES).joinpath(FILE).read_text("utf-8"))
    return recorded


def documented(operation: str) -> Mapping[str, Any] | None:
    """Return the answer in the service's documentation of an operation, if it is part of the emulator, else None."""
    file = files(_FIXTURES).joinpath("documented", f"{operation}.json")
    if not file.is_file():
        return None
    return {
        "json": json.loads(file.read_text("utf-8")),
        "xml": files(_FIXTURES).joinpath("documented", f"{operation}.xml").read_text("utf-8"),
    }
