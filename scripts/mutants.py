"""Change the code in small ways and report which changes no test notices; `make mutants` runs this.

    python scripts/mutants.py [--minutes N] [MODULE ...]

MODULE is a module or a pattern such as `foas_emulator.world.*`; without one it is every module in which a mistake is
costly. The mutants are made in a copy of the checkout, and N bounds the time: what was not tried by then is counted
alone, and what survived two thirds of the time may not have been tried with every test. Python 3.12 and later notes
every test of the package world; 3.11 stumbles over the context variables of mutmut there (`make mutants PYTHON=...`).
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
MODULES = (
    "foas_emulator.world.*",
    "foas_emulator.gateway.*",
    "foas_emulator.pipeline.*",
    "foas_emulator.operations.*.service",
    "foas_emulator.operations.*.lifecycle",
)
TESTS = {
    "world": ("tests/world", "tests/pipeline", "tests/properties"),
    "gateway": ("tests/gateway", "tests/pipeline"),
    "pipeline": ("tests/pipeline", "tests/gateway", "tests/faults/test_effects.py", "tests/faults/test_rules.py"),
    "operations": ("tests/operations",),
}
"""The tests of each package that may notice: mutmut runs those that reach the function that it changed."""
VARIANTS = "not json-file and not xml-memory and not served_by_fastapi"
"""Both formats and both kinds of store are tested, but not all four combinations. uvicorn mistakes an
application that mutmut has changed for a factory, so mutants of the pipeline are tested without a server."""
MINUTES = 30
CONFIGURATION = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = [{patterns}]
also_copy = ["fixtures", "openapi", "scripts", "docs", "benchmarks"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "--assert=plain", "-k", "{variants}"]
pytest_add_cli_args_test_selection = [{tests}]
process_isolation = "forkserver"
"""
IMPORTED_ANEW = 'forkserver_warmup = "none"\n'
"""Run every mutant in a process that imports it: only this tests code that runs when a module is imported."""
SHOW = """
import sys
from mutmut.mutation.diff_apply import get_diff_for_mutant

for name in sys.argv[1:]:
    print("#", name, get_diff_for_mutant(name), sep="\\n")
"""
"""The same as `mutmut show`, which has to be started for each name."""
FEW = 40
"""The largest number of tests for a mutant at first."""


def main() -> int:
    """Run mutmut and print the survivors; the exit status is 0 unless it could not run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--tests", nargs="*", metavar="PATH", help="tests that may notice, instead of the packages'")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with TemporaryDirectory(prefix="foas-emulator-mutants-") as directory:
        tree = Path(directory)
        copy_checkout(tree, asked.modules, asked.tests or tests_of(asked.modules))
        ran = try_mutants(tree, deadline=time.monotonic() + asked.minutes * 60)
        survivors = unnoticed(tree)
        print(output_of(tree, "-c", SHOW, *survivors))
        print(f"{len(survivors)} mutants survived, {mutmut(tree, 'results').count('not checked')} were not tried")
    return ran


def try_mutants(tree: Path, *, deadline: float) -> int:
    """Test each mutant with a few tests, then the survivors with all tests that reach them. Return the exit status."""
    # Mutants that no name matches: mutmut makes them all, notes which test reaches which function, and gives up.
    log = run_bounded(tree, ["run", "none"], deadline)[1]
    statistics = tree / "mutants" / "mutmut-stats.json"
    if not statistics.exists():
        print(log)
        return 1
    noted = statistics.read_text("utf-8")
    statistics.write_text(json.dumps(fewer_tests(json.loads(noted))), "utf-8")
    now = time.monotonic()
    status, log = run_bounded(tree, ["run", "*"], now + (deadline - now) * 2 / 3)
    statistics.write_text(noted, "utf-8")
    if not status and (survivors := unnoticed(tree)):
        configuration = tree / "pyproject.toml"
        configuration.write_text(configuration.read_text("utf-8") + IMPORTED_ANEW, "utf-8")
        status, log = run_bounded(tree, ["run", *survivors], deadline)
    if status:
        print(log)
    return status


def fewer_tests(statistics: dict[str, Any]) -> dict[str, Any]:
    """Return mutmut's record with few tests for each function: those of its test file or folder, then the fastest."""
    duration = statistics["duration_by_test"]
    reaching = statistics["tests_by_mangled_function_name"]
    for function, tests in reaching.items():
        *_, folder, module, _ = function.split(".")
        mirrors = f"/test_{module}.py", f"/{folder}/"
        quickest = sorted(tests, key=lambda test: (*(each not in test for each in mirrors), duration.get(test, 0.0)))
        reaching[function] = quickest[:FEW]
    return statistics


def unnoticed(tree: Path) -> list[str]:
    """The names of the mutants that survived, or that no test reaches."""
    results = (line.rpartition(": ") for line in mutmut(tree, "results").splitlines())
    return [name.strip() for name, _, result in results if result in ("survived", "no tests")]


def mutmut(tree: Path, *arguments: str) -> str:
    """Return the output of mutmut."""
    return output_of(tree, "-m", "mutmut", *arguments)


def output_of(tree: Path, *arguments: str) -> str:
    """Return what Python prints when it is run in the tree with these arguments."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=tree, capture_output=True, encoding="utf-8", check=False).stdout


def tests_of(modules: Iterable[str]) -> list[str]:
    """The tests that may notice a change of these modules."""
    packages = [module.split(".")[1] for module in modules]
    return list(dict.fromkeys(test for package in packages for test in TESTS[package]))


def run_bounded(tree: Path, arguments: Sequence[str], deadline: float) -> tuple[int, str]:
    """Run mutmut until it ends or the time is over. Return its exit status and the end of its output.

    Its progress is shown to a terminal only.
    """
    log = tree / "mutmut.log"
    with log.open("wb") as file:
        output = None if sys.stdout.isatty() else file
        command = [sys.executable, "-m", "mutmut", *arguments]
        process = subprocess.Popen(command, cwd=tree, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            status = 0
            print("The time is over.")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # with the processes that try a mutant each
                process.wait()
    return status, log.read_text("utf-8", "replace")[-4000:]


def copy_checkout(tree: Path, modules: Sequence[str], tests: Sequence[str]) -> None:
    """Copy the checkout in the layout that mutmut requires: the sources below `src`."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "node_modules")
    shutil.copytree(ROOT / "app" / "foas_emulator", tree / "src" / "foas_emulator", ignore=ignored)
    shutil.copytree(ROOT / "fixtures", tree / "src" / "foas_emulator" / "fixtures", ignore=ignored)
    for name in ("fixtures", "openapi", "tests", "scripts", "docs", "benchmarks"):
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    patterns = quoted(
        f"src/{module.replace('.', '/').removesuffix('/*')}{'/*' if module.endswith('*') else '.py'}"
        for module in modules
    )
    configuration = CONFIGURATION.format(patterns=patterns, tests=quoted(tests), variants=VARIANTS)
    (tree / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text("utf-8") + configuration, "utf-8")


def quoted(names: Iterable[str]) -> str:
    """The names as the members of a list in TOML."""
    return ", ".join(f'"{name}"' for name in names)


if __name__ == "__main__":
    sys.exit(main())
