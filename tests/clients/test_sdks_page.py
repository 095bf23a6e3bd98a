"""docs/sdks.md: the programs that it calls run are run as they stand, and both languages have the same ones."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.builds import GO, JAVA, NODE, NODE_TEA, built, do_without
from tests.clients.sdk import environment

pytestmark = pytest.mark.xdist_group("clients-page")

DOCS = Path(__file__).parents[2] / "docs"
FILES = {
    "python-core": "example.py",
    "python-tea": "example.py",
    "java": "Example.java",
    "go": "main.go",
    "node": "example.js",
    "node-tea": "example.js",
    "fetch": "example.mjs",
}


def programs(page: str) -> dict[str, str]:
    text = (DOCS / page).read_text("utf-8")
    return dict(re.findall(r"<!-- run: ([\w-]+) -->\n```\w+\n(.*?)```", text, flags=re.DOTALL))


def command(name: str, program: Path) -> list[str]:
    match name:
        case "python-core" | "python-tea":
            return [sys.executable, str(program)]
        case "java":
            return ["java", "-cp", f"{built(JAVA) / 'jars'}/*", str(program)]
        case "go":
            return ["go", "-C", str(built(GO)), "run", str(program)]
        case "node":
            return ["env", f"NODE_PATH={built(NODE) / 'node_modules'}", "node", str(program)]
        case "node-tea":
            return ["env", f"NODE_PATH={built(NODE_TEA) / 'node_modules'}", "node", str(program)]
        case _:
            if shutil.which("node") is None:
                do_without("node is not installed")
            return ["node", str(program)]


def test_both_languages_have_the_same_programs() -> None:
    assert programs("sdks.md").keys() == FILES.keys()
    assert programs("sdks.zh-CN.md") == programs("sdks.md")


@pytest.mark.parametrize("name", FILES)
def test_the_program_prints_the_state_of_the_instance(name: str, tmp_path: Path, server: Callable[[str], str]) -> None:
    endpoint = server("warn" if name == "fetch" else "strict")
    program = tmp_path / FILES[name]
    program.write_text(programs("sdks.md")[name].replace("127.0.0.1:8018", endpoint), "utf-8")

    ran = subprocess.run(
        command(name, program), env=environment(), stdout=subprocess.PIPE, encoding="utf-8", check=True
    )

    assert ran.stdout == "RUNNING\n"
