"""The files that tools of the set-up read are what those tools take."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CI = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def conforms(schema: str, *files: Path) -> "subprocess.CompletedProcess[str]":
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
    return subprocess.run(checker, capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_workflows_conform_to_the_schema_of_github(tmp_path: Path) -> None:
    checked = conforms("vendor.github-workflows", *WORKFLOWS)
    assert checked.returncode == 0, checked.stdout
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(WORKFLOWS[0].read_text("utf-8").replace("runs-on:", "runs_on:"), "utf-8")
    assert conforms("vendor.github-workflows", wrong).returncode == 1


def test_dollar_expressions_name_what_is_there() -> None:
    matrix = CI["jobs"]["test"]["strategy"]["matrix"]
    named = re.findall(r"\$\{\{\s*(\S+)\s*\}\}", (ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    known = {"github.workflow", "github.ref", "steps.foas.outputs.log", *(f"matrix.{name}" for name in matrix)}
    assert set(named) <= known
    assert {f"matrix.{name}" for name in matrix} <= set(named)


def test_ci_runs_on_every_system_and_python_that_is_promised() -> None:
    matrix = CI["jobs"]["test"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    pythons = "Programming Language :: Python :: "
    promised = [
        name.removeprefix(pythons) for name in PROJECT["project"]["classifiers"] if name.startswith(pythons + "3.")
    ]
    assert matrix["python"] == promised == ["3.11", "3.12", "3.13", "3.14", "3.15"]


def test_targets_that_ci_makes_exist() -> None:
    steps: list[dict[str, Any]] = [step for job in CI["jobs"].values() for step in job["steps"]]
    made = {target for step in steps for target in re.findall(r"^make (\w+)", step.get("run", ""), re.MULTILINE)}
    assert made <= set(re.findall(r"^(\w+):", MAKEFILE, re.MULTILINE))
    assert made


def test_help_lists_every_target() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    # A make within a make tells which directory it enters, too.
    command = ["make", "--no-print-directory", "help"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60, check=True).stdout
    assert [line.split()[1] for line in told.splitlines()] == phony.split()


def test_variables_for_other_pythons_do_not_lead_past_the_virtual_environment(tmp_path: Path) -> None:
    """They may be set by any shell: PYTHONPATH for a library, PIP_USER for a home directory."""
    (tmp_path / "show.mk").write_text('show:\n\t@echo "$$PYTHONPATH-$$PYTHONHOME-$$PIP_TARGET-$$PIP_USER-$$PIP_LOG"\n')
    names = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_USER", "PIP_LOG")
    command = ["make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "-f", str(tmp_path / "show.mk"), "show"]
    variables = {**os.environ, **dict.fromkeys(names, "set")}
    shown = subprocess.run(command, env=variables, capture_output=True, encoding="utf-8", timeout=60, check=True)
    assert shown.stdout == "---0-set\n"


def checkout(folder: Path) -> None:
    """Write into a folder what `make serve` looks at."""
    (folder / "Makefile").write_text(MAKEFILE, "utf-8")
    for name in ("requirements.lock", "pyproject.toml"):
        (folder / name).touch()


def planned(folder: Path, *variables: str) -> str:
    """Return the commands of `make serve` in a folder."""
    command = ["make", "--no-print-directory", "--dry-run", "serve", *variables]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=60, check=True).stdout


def make_environment(folder: Path, python: str) -> "subprocess.CompletedProcess[str]":
    """Make the virtual environment in a folder with a program that stands for Python."""
    (folder / "Makefile").write_text(MAKEFILE, "utf-8")
    program = folder / "another-python"
    program.write_text(f"#!/bin/sh\n{python}\n", "utf-8")
    program.chmod(0o755)
    command = ["make", ".venv/bin/python", f"PYTHON={program}"]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=60, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="a script of sh stands for Python")
def test_an_older_python_is_reported_before_anything_is_made(tmp_path: Path) -> None:
    disguise = "import sys; sys.version_info = (3, 10); exec(sys.argv[1])"
    made = make_environment(tmp_path, f'exec {sys.executable} -c "{disguise}" "$2"')
    assert made.returncode == 2
    assert ", and 3.11 or later is needed; name one, as in PYTHON=python3.13" in made.stderr
    assert not (tmp_path / ".venv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a script of sh stands for Python")
def test_a_virtual_environment_that_could_not_be_made_whole_is_made_anew(tmp_path: Path) -> None:
    """Debian's Python leaves one without pip behind if the package python3-venv is missing."""
    half = make_environment(tmp_path, "[ $1 = -c ] || ! { mkdir -p .venv/bin && touch .venv/bin/python; }")
    assert half.returncode == 2
    done = make_environment(tmp_path, f'exec {sys.executable} "$@" --without-pip')
    assert done.returncode == 0, done.stderr
    assert subprocess.run([tmp_path / ".venv/bin/python", "-c", ""], timeout=60, check=False).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a virtual environment has no links there")
def test_what_was_installed_for_a_python_that_is_gone_is_installed_anew(tmp_path: Path) -> None:
    checkout(tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    (tmp_path / ".venv" / ".serve").touch()

    assert "requirements.lock" not in planned(tmp_path)
    (programs / "python").unlink()
    (programs / "python").symlink_to("/nonexistent/python")
    assert "-r requirements.lock" in planned(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="a virtual environment has no links there")
@pytest.mark.parametrize(("place", "is_made"), [("", False), ("{here}", False), ("/elsewhere/foas", True)])
def test_the_virtual_environment_of_a_checkout_that_was_moved_is_made_anew(
    tmp_path: Path, place: str, *, is_made: bool
) -> None:
    """Its programs name the Python of the old place, and it has the emulator of there."""
    checkout(tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    (tmp_path / ".venv" / "pyvenv.cfg").touch()
    (tmp_path / ".venv" / ".serve").write_text(place.format(here=tmp_path.resolve()), "utf-8")
    plan = planned(tmp_path)
    assert ("venv --clear .venv" in plan) == is_made
    assert ("-r requirements.lock" in plan) == is_made


@pytest.mark.skipif(sys.platform == "win32", reason="a script of sh stands for Python")
@pytest.mark.parametrize("place", [".venv", "not/there/yet", "given/"])
def test_of_two_that_install_at_once_one_waits_and_finds_what_it_needs(tmp_path: Path, place: str) -> None:
    """With a slash at its end, or where a shell has a variable of this name, nothing kept them apart."""
    checkout(tmp_path)
    programs = {
        "stand-in": """echo "$@" >> installed; sleep 0.5""",
        "another-python": "[ $1 = -c ] || { mkdir -p $3/bin && cp stand-in $3/bin/python; }",
    }
    for name, script in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    made = place.rstrip("/")
    command = ["make", f"{made}/.serve", f"VENV={place}", f"PYTHON={tmp_path}/another-python"]
    variables = {**os.environ, "LOCKED": "by a shell"}
    both = [
        subprocess.Popen(command, cwd=tmp_path, env=variables, stderr=subprocess.PIPE, encoding="utf-8")
        for _ in range(2)
    ]
    told = [each.communicate(timeout=60)[1] for each in both]
    assert [each.returncode for each in both] == [0, 0], told
    assert (tmp_path / "installed").read_text("utf-8").count("-r requirements.lock") == 1
    assert sum("waiting for another make" in each for each in told) == 1
    assert not (tmp_path / f"{made}.lock").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a script of sh stands for Python")
def test_the_virtual_environment_of_windows_is_made_once(tmp_path: Path) -> None:
    """Make there looks for a file by its whole name; under another, it made the environment at every call."""
    checkout(tmp_path)
    programs = tmp_path / ".venv" / "Scripts"
    programs.mkdir(parents=True)
    (programs / "python.exe").symlink_to(sys.executable)
    (tmp_path / ".venv" / ".serve").touch()
    assert planned(tmp_path, "OS=Windows_NT") == "exec .venv/Scripts/foas-emulator serve\n"


def test_make_of_the_bsds_is_told_which_make_is_needed() -> None:
    """Its first directive is an error with a message, before it meets what it cannot read."""
    directive = next(line for line in MAKEFILE.splitlines() if line.startswith("."))
    assert directive.startswith(".error : this Makefile is written for GNU make")
    assert MAKEFILE.index(directive) < MAKEFILE.index("export")


@pytest.mark.parametrize(("file", "is_cleared"), [("pyvenv.cfg", True), ("of-somebody-else", False)])
def test_only_a_virtual_environment_is_cleared(tmp_path: Path, file: str, *, is_cleared: bool) -> None:
    checkout(tmp_path)
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / file).touch()
    assert ("venv --clear given" in planned(tmp_path, "VENV=given")) == is_cleared


def test_hooks_run_tools_of_the_virtual_environment() -> None:
    configuration = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook for repository in configuration["repos"] for hook in repository["hooks"]]
    assert {repository["repo"] for repository in configuration["repos"]} == {"local"}
    assert {hook["language"] for hook in hooks} == {"system"}
    for hook in hooks:
        tool = Path(hook["entry"].split()[0])
        assert tool.parts[:2] == (".venv", "bin")
        assert shutil.which(tool.name, path=Path(sys.executable).parent) is not None


def test_every_rule_that_is_ignored_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (ignored,) = re.findall(r"^ignore = \[\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert not [line for line in ignored.splitlines() if "# " not in line]
    (per_file,) = re.findall(r"^\[tool\.ruff\.lint\.per-file-ignores\]\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL)
    rules = [line for line in per_file.splitlines() if re.search(r'"[A-Z]+\d*",', line)]
    assert rules
    assert not [line for line in rules if "# " not in line]


def test_every_version_has_its_part_of_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    parts = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert parts[0] == "Unreleased"
    assert PROJECT["project"]["version"] in parts
