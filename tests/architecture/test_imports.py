"""Who may import whom, as ARCHITECTURE.md tells it, and what else must hold for every module."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from foas_emulator.gateway.operation import Group
from foas_emulator.operations.catalogue import GROUPS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "app" / "foas_emulator"
MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in MODULES}
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
OF_THE_EMULATOR = [module for module in TREES if not module.startswith(("world/", "testing/", "commands/"))]
"""What runs in the emulator; `testing` and `commands` run beside it, at those who use it."""
CLOCKS_AND_CHANCE = {"time", "random", "secrets", "uuid"}
NOW = {"now", "utcnow", "today", "urandom", "time", "time_ns", "monotonic", "perf_counter"}
OF_A_GROUP = [module for module in TREES if module.startswith("operations/") and module.count("/") == 2]
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


@pytest.mark.parametrize("module", [module for module in TREES if part_of(module) in CONTRACTS])
def test_imports_keep_the_contracts(module: str) -> None:
    imported = {name.split(".")[1] for name in imports(TREES[module]) if name.startswith("foas_emulator.")}
    assert imported <= CONTRACTS[part_of(module)]


def test_the_order_of_the_groups_has_every_group() -> None:
    assert LEVELS.keys() == {str(group.name) for group in GROUPS}


@pytest.mark.parametrize("module", [module for module in TREES if module.startswith("operations/")])
def test_no_group_imports_one_beside_it_or_above(module: str) -> None:
    own = module.split("/")[1]
    names = [name.split(".") for name in imports(TREES[module]) if name.startswith("foas_emulator.operations.")]
    groups = {parts[2] for parts in names if parts[2] in LEVELS and parts[2] != own}
    level = -1 if own == "catalogue.py" else LEVELS.get(own, len(ORDER))  # what the groups share is below them all
    assert all(LEVELS[group] > level for group in groups), groups


@pytest.mark.parametrize("module", OF_A_GROUP)
def test_a_group_never_uses_the_rows_of_another(module: str) -> None:
    """Rows of other groups may be named in annotations; their tables are the business of their own group."""
    group = module.split("/")[1]
    rows = [name.split(".") for name in used_imports(TREES[module]) if ".rows" in name]
    assert all(parts[:4] == ["foas_emulator", "operations", group, "rows"] for parts in rows), rows


@pytest.mark.parametrize("module", OF_A_GROUP)
def test_groups_consist_of_the_same_files(module: str) -> None:
    assert Path(module).name in FILES_OF_A_GROUP


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: str(group.name))
def test_every_operation_has_its_function_in_the_service_of_its_group(group: Group) -> None:
    body = TREES[f"operations/{group.name}/service.py"].body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert names >= {operation.endpoint.__name__ for operation in group.declared}


@pytest.mark.parametrize("module", OF_THE_EMULATOR)
def test_time_and_chance_are_read_in_world_alone(module: str) -> None:
    imported = {name.partition(".")[0] for name in imports(TREES[module])}
    assert not CLOCKS_AND_CHANCE & imported
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in NOW:
            owner = ast.unparse(node.func.value)
            assert not owner.endswith(("datetime", "date", "os", "time")), f"{module}:{node.lineno} reads {owner}"


@pytest.mark.parametrize("module", [module for module in TREES if module.split("/")[0] not in KNOW_SETTINGS])
def test_settings_are_known_to_those_that_start_the_emulator_alone(module: str) -> None:
    assert not [name for name in imports(TREES[module]) if name.startswith("foas_emulator.settings")]


@pytest.mark.parametrize("module", TREES)
def test_module_and_its_functions_are_small(module: str) -> None:
    lines = (PACKAGE / module).read_text("utf-8").count("\n")
    assert lines <= 400, f"{module} has {lines} lines"
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{module}: {node.name} has {length} lines"


@pytest.mark.parametrize("module", TREES)
def test_module_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(TREES[module])


@pytest.mark.parametrize("module", TREES)
def test_module_is_no_catch_all(module: str) -> None:
    assert Path(module).stem not in {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
