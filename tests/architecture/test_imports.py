"""Who may import whom, as ARCHITECTURE.md tells it, and what else must hold for every module."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from foas_emulator.gateway.operation import Group
from foas_emulator.operations.catalogue import GROUPS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "app" / "foas_emulator"
MODULES = sorted(PACKAGE.rglob("*.py"))
NAMES = [path.relative_to(PACKAGE).as_posix() for path in MODULES]
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
OF_THE_EMULATOR = [module for module in NAMES if not module.startswith(("world/", "testing/", "commands/"))]
"""What runs in the emulator; `testing` and `commands` run beside it, at those who use it."""
CLOCKS_AND_CHANCE = {"time", "random", "secrets", "uuid"}
NOW = {"now", "utcnow", "today", "urandom", "time", "time_ns", "monotonic", "perf_counter"}
OF_A_GROUP = [module for module in NAMES if module.startswith("operations/") and module.count("/") == 2]
FILES_OF_A_GROUP = {
    "__init__.py",
    "engine.py",
    "lifecycle.py",
    "parameters.py",
    "routes.py",
    "rows.py",
    "schemas.py",
    "service.py",
}
KNOW_SETTINGS = {
    "cli.py",
    "commands",
    "main.py",
    "serving",
    "setting_files.py",
    "settings.py",
    "testing",
    "worlds.py",
}


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse((PACKAGE / module).read_text("utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    """The modules a module imports, and the names it takes from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used_imports(tree: ast.Module) -> Iterator[str]:
    """What a module imports when it runs, without what it imports to annotate its functions."""
    for node in tree.body:
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from imports(ast.Module([node], []))


def part_of(module: str) -> str:
    """The package of a module, or the name of a module at the top."""
    return module.split("/", maxsplit=1)[0].removesuffix(".py")


def contracts() -> Iterator[tuple[str, set[str]]]:
    """The packages in the table of ARCHITECTURE.md, each with what it may import of ours."""
    rows = ARCHITECTURE.partition("| package | may import |\n|---|---|\n")[2].partition("\n\n")[0]
    for row in rows.splitlines():
        packages, allowed = (re.findall(r"`(\w+)`", cell) for cell in row.strip("|").split("|"))
        yield from ((package, {*allowed, package, "__version__"}) for package in packages)


CONTRACTS = dict(contracts())
"""What each part of the emulator below the wiring may import of ours."""
ORDER = [line.split() for line in ARCHITECTURE.partition("its own:\n\n```\n")[2].partition("\n```")[0].splitlines()]
"""The groups of operations by ARCHITECTURE.md, the highest first."""
LEVELS = {group: level for level, groups in enumerate(ORDER) for group in groups}


def test_every_package_below_the_wiring_has_a_contract() -> None:
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert packages - CONTRACTS.keys() == {"commands", "serving", "testing"}


def test_imports_keep_the_contracts() -> None:
    for module in [module for module in NAMES if part_of(module) in CONTRACTS]:
        imported = {name.split(".")[1] for name in imports(tree_of(module)) if name.startswith("foas_emulator.")}
        assert imported <= CONTRACTS[part_of(module)], module


def test_the_order_of_the_groups_has_every_group() -> None:
    assert LEVELS.keys() == {str(group.name) for group in GROUPS}


def test_no_group_imports_one_beside_it_or_above() -> None:
    for module in [module for module in NAMES if module.startswith("operations/")]:
        own = module.split("/")[1]
        names = [name.split(".") for name in imports(tree_of(module)) if name.startswith("foas_emulator.operations.")]
        groups = {parts[2] for parts in names if parts[2] in LEVELS and parts[2] != own}
        level = -1 if own == "catalogue.py" else LEVELS.get(own, len(ORDER))  # what the groups share is below them all
        assert all(LEVELS[group] > level for group in groups), f"{module} imports {groups}"


def test_a_group_never_uses_the_rows_of_another() -> None:
    """Rows of other groups may be named in annotations; their tables are the business of their own group."""
    for module in OF_A_GROUP:
        group = module.split("/")[1]
        rows = [name.split(".") for name in used_imports(tree_of(module)) if ".rows" in name]
        assert all(parts[:4] == ["foas_emulator", "operations", group, "rows"] for parts in rows), f"{module}: {rows}"


def test_groups_consist_of_the_same_files() -> None:
    assert [module for module in OF_A_GROUP if Path(module).name not in FILES_OF_A_GROUP] == []


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.name))
def test_every_operation_has_its_function_in_the_service_of_its_group(group: Group) -> None:
    body = tree_of(f"operations/{group.name}/service.py").body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert names >= {operation.endpoint.__name__ for operation in group.declared}


def test_time_and_chance_are_read_in_world_alone() -> None:
    for module in OF_THE_EMULATOR:
        imported = {name.partition(".")[0] for name in imports(tree_of(module))}
        assert not CLOCKS_AND_CHANCE & imported, module
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in NOW:
                owner = ast.unparse(node.func.value)
                assert not owner.endswith(("datetime", "date", "os", "time")), f"{module}:{node.lineno} reads {owner}"


def test_settings_are_known_to_those_that_start_the_emulator_alone() -> None:
    for module in [module for module in NAMES if module.split("/")[0] not in KNOW_SETTINGS]:
        assert not [name for name in imports(tree_of(module)) if name.startswith("foas_emulator.settings")], module


def test_modules_and_their_functions_are_small() -> None:
    for module in NAMES:
        lines = (PACKAGE / module).read_text("utf-8").count("\n")
        assert lines <= 400, f"{module} has {lines} lines"
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                assert length <= 60, f"{module}: {node.name} has {length} lines"


def test_every_module_says_what_it_is_for() -> None:
    assert [module for module in NAMES if not ast.get_docstring(tree_of(module))] == []


def test_no_module_is_a_catch_all() -> None:
    catch_alls = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [module for module in NAMES if Path(module).stem in catch_alls] == []
