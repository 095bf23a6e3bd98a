"""The contract in `operations.yaml`, and the comparison of values with it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent

CONTRACT: Mapping[str, Mapping[str, Any]] = yaml.safe_load((HERE / "operations.yaml").read_text("utf-8"))

_TYPES: Mapping[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "map": dict}
"""What a value of each type is to Python; a number without a fraction may be written as an integer."""


def misfits(value: Any, tree: Any, path: str = "") -> Iterator[str]:
    """Where a value read from JSON is not of the tree: strange members, an order of their own, other types.

    A member may be missing, for absent values are left out.
    """
    if isinstance(tree, dict) and isinstance(value, dict):
        known = [name for name in tree if name in value]
        if list(value) != known:
            yield f"{path or 'the answer'} has {list(value)}, not {known}"
        for name in known:
            yield from misfits(value[name], tree[name], below(path, name))
    elif isinstance(tree, list) and isinstance(value, list):
        for item in value:
            yield from misfits(item, tree[0], path)
    elif not _is_of(value, tree):
        yield f"{path} is {value!r}, which is no {tree}"


def differences(value: Any, other: Any, tree: Any, path: str = "") -> Iterator[str]:
    """The paths at which two values of the tree differ, with those of the members that only one of them has."""
    if isinstance(tree, dict):
        for name in tree:
            if (name in value) != (name in other):
                yield below(path, name)
            elif name in value:
                yield from differences(value[name], other[name], tree[name], below(path, name))
    elif isinstance(tree, list) and len(value) == len(other):
        for one, another in zip(value, other, strict=True):
            yield from differences(one, another, tree[0], path)
    elif value != other:
        yield path


def below(path: str, name: str) -> str:
    """The path of a member of the structure at a path."""
    return f"{path}.{name}" if path else name


def _is_of(value: Any, tree: Any) -> bool:
    if isinstance(value, bool) or not isinstance(tree, str):
        return isinstance(value, bool) and tree == "boolean"  # a bool is an int to Python
    return isinstance(value, _TYPES[tree])


def paths(value: Any, path: str = "") -> Iterator[str]:
    """The names of all members in a value or a tree, those of a structure behind its own; a list adds nothing."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield below(path, name)
            yield from paths(member, below(path, name))
    elif isinstance(value, list):
        for item in value:
            yield from paths(item, path)
