"""docs/sdks.md: the programs that it calls run are run as they stand, and both languages have the same ones."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.builds import GO, JAVA, NODE, NODE_TEA, PHP, built, do_without
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
    "php": "example.php",
    "aliyun-cli": "example.sh",
}


def programs(page: str) -> dict[str, str]:
    text = (DOCS / page).read_text("utf-8")
    return dict(re.findall(r"<!-- run: ([\w-]+) -->\n```\w+\n(.*?)```", text, flags=re.DOTALL))


def php(program: Path) -> list[str]:
    return ["php", "-d", f"auto_prepend_file={built(PHP) / 'vendor' / 'autoload.php'}", str(program)]


def aliyun_cli(program: Path) -> list[str]:
    if shutil.which("aliyun") is None:
        do_without("aliyun is not installed", optional=True)
    return ["env", f"HOME={program.parent}", "sh", "-e", str(program)]


def fetch(program: Path) -> list[str]:
    if shutil.which("node") is None:
        do_without("node is not installed")
    return ["node", str(program)]


COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "python-core": lambda program: [sys.executable, str(program)],
    "python-tea": lambda program: [sys.executable, str(program)],
    "java": lambda program: ["java", "-cp", f"{built(JAVA) / 'jars'}/*", str(program)],
    "go": lambda program: ["go", "-C", str(built(GO)), "run", str(program)],
    "node": lambda program: ["env", f"NODE_PATH={built(NODE) / 'node_modules'}", "node", str(program)],
    "node-tea": lambda program: ["env", f"NODE_PATH={built(NODE_TEA) / 'node_modules'}", "node", str(program)],
    "fetch": fetch,
    "php": php,
    "aliyun-cli": aliyun_cli,
}


def test_both_languages_have_the_same_programs() -> None:
    assert programs("sdks.md").keys() == FILES.keys()
    assert programs("sdks.zh-CN.md") == programs("sdks.md")


@pytest.mark.parametrize("name", FILES)
def test_the_program_prints_the_state_of_the_instance(name: str, tmp_path: Path, server: Callable[[str], str]) -> None:
    endpoint = server("warn" if name == "fetch" else "strict")
    program = tmp_path / FILES[name]
    text = programs("sdks.md")[name].replace("127.0.0.1:8018", endpoint)
    program.write_text(f"<?php\n{text}" if name == "php" else text, "utf-8")

    ran = subprocess.run(
        COMMANDS[name](program), env=environment(), stdout=subprocess.PIPE, encoding="utf-8", check=True
    )

    if name == "aliyun-cli":  # it prints the answer
        assert json.loads(ran.stdout)["Instance"]["ActualState"] == "RUNNING"
    else:
        assert ran.stdout.rstrip("\n") == "RUNNING"


def test_the_cli_reads_its_endpoint_from_the_environment(tmp_path: Path, server: Callable[[str], str]) -> None:
    configure, call = programs("sdks.md")["aliyun-cli"].split("\n\n")
    program = tmp_path / "example.sh"
    program.write_text(f"{configure}\n{call.replace('--endpoint 127.0.0.1:8018', '')}", "utf-8")

    ran = subprocess.run(
        aliyun_cli(program),
        env={**environment(), "ALIBABA_CLOUD_ENDPOINT": server("strict")},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )

    assert json.loads(ran.stdout)["Instance"]["Id"] == 412536
