"""How lists of names and tags are written in one parameter.

The service documents no form at all. Understood are JSON (`["a","b"]`, `{"k":"v"}`, `[{"Key":"k","Value":"v"}]`) and
lists with commas (`a,b`, `k:v,k=v,k`); all of it is inferred.
"""

import json
import re
from typing import Any

from foas_emulator.gateway.errors import invalid

_NAME_IN_ITEM = ("Key", "TagKey", "key", "tagKey")
_VALUE_IN_ITEM = ("Value", "TagValue", "value", "tagValue")


def read_names(parameter: str, text: str) -> list[str]:
    """Names, each once, in their order. Raises `Invalid{parameter}` for JSON that is no array of texts."""
    names = _parse(parameter, text)
    if names is None:
        names = [name.strip() for name in text.split(",")]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise invalid(parameter, 'write a JSON array of texts, or names with commas between: ["a","b"] or a,b.')
    return list(dict.fromkeys(name for name in names if name))


def read_tags(parameter: str, text: str) -> dict[str, str | None]:
    """Keys with their values; None for a key alone. Raises `Invalid{parameter}`."""
    given = _parse(parameter, text)
    if given is None:
        pairs = [_pair(item) for item in text.split(",") if item.strip()]
    elif isinstance(given, dict) and _key_of(given) is None:
        pairs = list(given.items())
    else:
        items = given if isinstance(given, list) else [given]
        pairs = [(_key_of(item), _first(item, _VALUE_IN_ITEM)) for item in items]
    if not all(isinstance(key, str) and key and isinstance(value, str | None) for key, value in pairs):
        raise invalid(parameter, 'write [{"Key":"k","Value":"v"}], {"k":"v"}, or k:v with commas between.')
    return {str(key): value for key, value in pairs}


def _parse(parameter: str, text: str) -> Any:
    """The JSON that a text holds, or None if it does not look like any."""
    if not text.lstrip().startswith(("[", "{")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise invalid(parameter, f"{text!r} begins like JSON, and is not.") from None


def _pair(item: str) -> tuple[str, str | None]:
    key, separator, value = re.split("([:=]|$)", item.strip(), maxsplit=1)
    return key.strip(), value.strip() if separator else None


def _key_of(item: Any) -> Any:
    return _first(item, _NAME_IN_ITEM)


def _first(item: Any, names: tuple[str, ...]) -> Any:
    members = item if isinstance(item, dict) else {}
    return next((members[name] for name in names if name in members), None)
