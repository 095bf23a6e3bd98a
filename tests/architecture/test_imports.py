"""Who may import whom: the contracts in pyproject.toml, kept by import-linter, and what no contract can say."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "app" / "foas_emulator"
MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text("utf-8")) for path in MODULES}
OF_THE_EMULATOR = [module for module in TREES if not module.startswith(("world/", "testing/", "commands/"))]
"""What runs in the emulator; `testing` and `commands` run beside it, at those who use it."""
CLOCKS_AND_CHANCE = {"time", "random", "secrets", "uuid"}
NOW = {"now", "utcnow", "today", "urandom", "time", "time_ns", "monotonic", "perf_counter"}
KNOW_SETTINGS = {"main.py", "cli.py", "commands", "server.py", "settings.py", "testing"}


def imports(tree: ast.Module) -> Iterator[str]:
    """The modules a module imports, and the names it takes from them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_imports_keep_the_contracts() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [linter, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


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
