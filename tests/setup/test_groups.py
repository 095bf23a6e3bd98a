"""Tests of one group run on one worker: they share a server, a build or a page."""

import re
import subprocess
import sys
from pathlib import Path

from tests.process import environment

GROUPED = """
import pytest

@pytest.mark.xdist_group("shared")
@pytest.mark.parametrize("number", range(8))
def test_shared(number: int) -> None:
    pass
"""


def test_tests_of_one_group_run_on_one_worker(tmp_path: Path) -> None:
    (tmp_path / "test_grouped.py").write_text(GROUPED, "utf-8")
    workers = ["-n", "2", "--dist", "loadgroup", "-v", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *workers, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    used = re.findall(r"^\[(gw\d)\].* PASSED", ran.stdout, re.MULTILINE)
    assert len(used) == 8, ran.stdout
    assert len(set(used)) == 1
