"""Change the code in small ways and report which changes no test notices; `make mutants` runs this.

    python scripts/mutants.py [--minutes N] [MODULE ...]

MODULE is a module or a pattern such as `foas_emulator.world.*`; without one it is every module in which a mistake is
costly. The mutants are made in a copy of the checkout, and N bounds the time: what was not tried by then is not
reported.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

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
    "pipeline": ("tests/pipeline", "tests/gateway", "tests/faults"),
    "operations": ("tests/operations",),
}
"""The tests of each package that may notice: mutmut runs those that reach the function that it changed."""
VARIANTS = "not json-file and not xml-memory"
"""Both formats and both kinds of store are tried, and not all four pairs of them."""
MINUTES = 30
CONFIGURATION = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = [{patterns}]
also_copy = ["fixtures", "openapi", "scripts", "docs", "benchmarks"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "--assert=plain", "-k", "{variants}"]
pytest_add_cli_args_test_selection = [{tests}]
timeout_multiplier = 5.0
"""


def main() -> int:
    """Run mutmut and print the survivors; the exit status is 0 unless it could not run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--tests", nargs="*", metavar="PATH", help="tests that may notice, instead of the packages'")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="foas-emulator-mutants-") as directory:
        tree = Path(directory)
        copy_checkout(tree, asked.modules, asked.tests or tests_of(asked.modules))
        mutmut = [sys.executable, "-m", "mutmut"]
        ran = run_bounded([*mutmut, "run"], tree, asked.minutes * 60)
        survivors = subprocess.run(
            [*mutmut, "results"], cwd=tree, capture_output=True, encoding="utf-8", check=False
        ).stdout
        names = [line.split(":")[0].strip() for line in survivors.splitlines() if line.endswith("survived")]
        for name in names:
            print(
                subprocess.run(
                    [*mutmut, "show", name], cwd=tree, capture_output=True, encoding="utf-8", check=False
                ).stdout
            )
        print(f"{len(names)} mutants survived")
    return ran


def tests_of(modules: Iterable[str]) -> list[str]:
    """The tests that may notice a change of these modules."""
    packages = [module.split(".")[1] for module in modules]
    return list(dict.fromkeys(test for package in packages for test in TESTS[package]))


def run_bounded(command: Sequence[str], tree: Path, seconds: float) -> int:
    """Run mutmut for so long at most; its progress is shown to a terminal only. Return its exit status."""
    log = tree / "mutmut.log"
    with log.open("wb") as file:
        output = None if sys.stdout.isatty() else file
        process = subprocess.Popen(command, cwd=tree, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = 0
            print(f"\nThe {seconds:g} seconds are over; what was tried until now:")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # with the processes that try a mutant each
                process.wait()
    if status:
        print(log.read_text("utf-8", "replace")[-4000:])
    return status


def copy_checkout(tree: Path, modules: Sequence[str], tests: Sequence[str]) -> None:
    """Lay the checkout out as mutmut wants it: the sources below `src`."""
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
