"""The plugin as pytest finds it where the wheel is installed."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("app", "fixtures", "pyproject.toml", "README.md", "LICENSE")

SUITE = """
import foas_emulator

def test_it(foas_world):
    print(foas_emulator.__file__)
    assert len(foas_world.snapshot()["tables"]["projects"]) == 2
"""


def install_wheel(tmp_path: Path) -> Path:
    """Build the wheel from a copy of the sources and install it, alone, into a directory."""
    sources, installed = tmp_path / "sources", tmp_path / "installed"
    sources.mkdir()
    for name in SOURCES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, sources / name)
    build: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        tmp_path,
        sources,
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    install: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-index",
        "--target",
        installed,
        wheel,
    ]
    subprocess.run(install, check=True, capture_output=True)
    return installed


def test_the_fixtures_are_there_without_anything_being_said(tmp_path: Path) -> None:
    installed = install_wheel(tmp_path)
    (tmp_path / "suite").mkdir()
    suite = tmp_path / "suite" / "test_suite.py"
    suite.write_text(SUITE, "utf-8")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "-W", "error", suite],
        cwd=suite.parent,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "1 passed" in result.stdout, result.stdout + result.stderr
    assert str(installed) in result.stdout
