"""mypy checks the names and values of rows, answers and requests: it refuses every line of the negative example."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = Path(__file__).with_name("misspelt.py.txt")


def test_mypy_refuses_every_line_of_the_negative_example(tmp_path: Path) -> None:
    module = tmp_path / "misspelt.py"
    module.write_text(EXAMPLE.read_text("utf-8"), "utf-8")
    command = [sys.executable, "-m", "mypy", "--no-error-summary", "--cache-dir", str(tmp_path / "cache"), str(module)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False).stdout
    refused = {int(line): kind for line, kind in re.findall(r"misspelt\.py:(\d+): error: .*\[([a-z-]+)\]", found)}
    lines = enumerate(EXAMPLE.read_text("utf-8").splitlines(), 1)
    expected = {number: kind for number, line in lines for kind in re.findall(r"# \[([a-z-]+)\]$", line)}
    assert refused == expected, found
    assert expected
