"""Tests of one group, or of one file, run on one worker: they share a server, a build or a page."""

import re
import subprocess
import sys
from pathlib import Path

from tests.process import environment

ROOT = Path(__file__).parents[2]
HOOK = "from tests.conftest import pytest_collection_modifyitems"
MANY = """
import pytest

@pytest.mark.parametrize("number", range(8))
def test_shared(number: int) -> None:
    pass
"""
GROUPED = (
    MANY
    + """
pytestmark = pytest.mark.xdist_group("shared")
"""
)


def workers(folder: Path) -> dict[str, list[str]]:
    """The workers that run the tests of each file, in their order."""
    options = ["-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder", "-v", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", str(folder), str(folder)],
        cwd=folder,
        env=environment({"PYTHONPATH": str(ROOT)}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    used: dict[str, list[str]] = {}
    for worker, file in re.findall(r"^\[(gw\d)\].* PASSED (\w+\.py)", ran.stdout, re.MULTILINE):
        used.setdefault(file, []).append(worker)
    assert used, ran.stdout
    return used


def test_tests_of_one_group_run_on_one_worker_and_so_do_those_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(HOOK, "utf-8")
    (tmp_path / "test_alone.py").write_text(MANY, "utf-8")
    for name in ("one", "two"):
        (tmp_path / f"test_{name}.py").write_text(GROUPED, "utf-8")
    used = workers(tmp_path)
    assert {file: len(each) for file, each in used.items()} == {"test_alone.py": 8, "test_one.py": 8, "test_two.py": 8}
    assert len(set(used["test_alone.py"])) == 1
    assert set(used["test_one.py"]) == set(used["test_two.py"]) != set(used["test_alone.py"])
