import platform
import subprocess
import sys

import pytest

from foas_emulator.serving.memory import give_back_large_blocks

PROGRAM = """
from pathlib import Path
from foas_emulator.serving.memory import give_back_large_blocks

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4 // 1024

give_back_large_blocks()
large = bytes(b"x" * 2**21)
del large  # from now on, the C library would keep blocks of this size
before = resident()
large, small = [], []
for _ in range(100):
    large.append(b"x" * 2**21)
    small.append(bytearray(1000))  # keeps what lies before it in place
held = resident()
large.clear()
print(held - before, resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only the C library of GNU keeps large blocks")
def test_large_blocks_are_given_back_whatever_lies_between_them() -> None:
    output = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, encoding="utf-8").stdout
    held, kept = map(int, output.split())
    assert held > 150
    assert kept < 20


def test_a_python_without_ctypes_serves_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)  # as where libffi was missing when it was built
    give_back_large_blocks()
