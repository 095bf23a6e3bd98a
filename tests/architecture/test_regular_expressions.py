"""No regular expression takes more than linear time, whatever text it reads: none has two ways through a repeated text.

This counts ways and measures no time. Patterns are found wherever `re` gets one, and where an argument or a key of a
dictionary is named for one, as those of pydantic, Starlette and JSON Schema are.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from fnmatch import translate
from itertools import product
from typing import Any

import pytest

from foas_emulator import settings
from tests.architecture.ambiguity import Automaton
from tests.architecture.test_imports import NAMES, tree_of

METHODS = {"search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"}
AT_RUN_TIME = {
    "patterns.py": ([translate(glob) for glob in ("*", "*a*a*", "?*?*[ab]*[!a]*?", "a?b")], {"match"}),
    "settings.py": (
        [each._pattern.pattern for each in vars(settings).values() if isinstance(each, settings.Checked)],
        {"fullmatch"},
    ),
}
"""By modules: patterns that are made when the code runs, all or one of each kind, and the methods that use them."""
ENDS_WHERE_ONE_IS_OPEN = {"blink/tokens.py"}
"""Modules that search on after a quote or a comment that is never closed, and whose readers end there."""


def value_of(node: ast.expr, module: str) -> Any:
    name = "foas_emulator." + module.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    code = compile(ast.Expression(node), module, "eval")
    return eval(code, vars(importlib.import_module(name)))


def given(tree: ast.Module) -> Iterator[tuple[ast.expr, list[ast.expr], set[str]]]:
    """Find each pattern, with its flags and the methods of `re` that use it; all of them, where that is not seen."""
    used: dict[str, set[str]] = {}
    names: dict[ast.expr, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            used.setdefault(ast.unparse(node.value), set()).add(node.attr)
        elif isinstance(node, ast.Assign):
            names[node.value] = ast.unparse(node.targets[0])
    for node in ast.walk(tree):
        named: list[ast.expr] = []
        if isinstance(node, ast.Dict):
            named = [value for key, value in zip(node.keys, node.values, strict=True) if is_name_of_one(key)]
        elif isinstance(node, ast.Call):
            named = [each.value for each in node.keywords if re.search("pattern|regex", each.arg or "")]
            function = ast.unparse(node.func)
            if function.startswith("re.") and function[3:] in METHODS | {"compile"}:
                flags = [each for each in (*node.args, *(k.value for k in node.keywords)) if is_flag(each)]
                yield node.args[0], flags, METHODS & (used.get(names.get(node, ""), set()) | {function[3:]}) or METHODS
        for pattern in named:
            branches = [pattern.body, pattern.orelse] if isinstance(pattern, ast.IfExp) else [pattern]
            yield from ((each, [], {"search"}) for each in branches)


def is_name_of_one(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "pattern"


def is_flag(argument: ast.expr) -> bool:
    return re.fullmatch(r"re\.[A-Z]+( \| re\.[A-Z]+)*", ast.unparse(argument)) is not None


def ambiguities(module: str) -> Iterator[tuple[str, list[str]]]:
    """Find what each pattern of a module is slow on."""
    for node, flags, seen in given(tree_of(module)):
        try:
            patterns, methods = [value_of(node, module)], {"match"} if module in ENDS_WHERE_ONE_IS_OPEN else seen
        except NameError:
            patterns, methods = AT_RUN_TIME[module]
        flag = sum(int(value_of(each, module)) for each in flags)
        for pattern, method in product(patterns, methods):
            if isinstance(pattern, str | bytes):
                yield f"{module}:{node.lineno}", list(Automaton(pattern, flag, method).ambiguities())


def test_no_regular_expression_has_two_ways_through_a_repeated_text() -> None:
    found = [each for module in NAMES for each in ambiguities(module)]
    assert not [each for each in found if each[1]]
    assert len({place for place, _ in found}) > 90


@pytest.mark.parametrize(
    ("pattern", "method", "kind"),
    [
        ("(a*)*b", "match", "exponential"),
        ("(?:ab|a|b)*c", "fullmatch", "exponential"),
        (r"(?:\w+\s?)+;", "match", "exponential"),
        ("(x+x+)+y", "match", "exponential"),
        ("a+b", "search", "polynomial"),
        (r"\s+$", "sub", "polynomial"),
        ("(?m)^ *[ a]*b", "match", "polynomial"),
        (".*Signature=", "search", "polynomial"),
        ("x[^y]*y|x", "finditer", "polynomial"),
        (b"http://([^/?#]*)([^#]*)", "fullmatch", "polynomial"),
        ("(?:(?>a)|b)*a*c", "match", "polynomial"),
        (r"(['\"])(?:\1|')*x", "search", "exponential"),
    ],
)
def test_a_slow_pattern_is_noticed(pattern: str | bytes, method: str, kind: str) -> None:
    assert next(Automaton(pattern, 0, method).ambiguities()).startswith(kind)


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        ("a+b", "match"),
        ("a+", "search"),
        ("^a+b", "search"),
        ("(?m)^a+b", "search"),
        ("(?:%[0-9A-F]{2})+", "sub"),
        ('"[^"]*+"?', "finditer"),
        (b"http://([^/?#]*+)([^#]*)", "fullmatch"),
        (r"(?s)([^/?#]*)(.*)", "fullmatch"),
        ("a*+a*b", "match"),
        ("[a-z][a-z0-9_-]{0,63}", "fullmatch"),
    ],
)
def test_a_quick_pattern_is_not(pattern: str | bytes, method: str) -> None:
    assert not list(Automaton(pattern, 0, method).ambiguities())
