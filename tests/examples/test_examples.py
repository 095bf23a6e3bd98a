"""The examples run as they stand: each test in a world of its own, and the journal where one fails."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from foas_emulator.testing import Emulator
from tests.clients.builds import Project, built, do_without
from tests.process import environment

EXAMPLES = Path(__file__).parents[2] / "examples"
TOKEN = "of-the-example"
WHY = "InvalidInstance.NotRunning"

JUNIT = Project(
    root=EXAMPLES,
    language="junit",
    needs=["java", "javac", "mvn"],
    fetch=[["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies", "-DoutputDirectory=jars"]],
    compile=["javac", "--release", "11", "-cp", "jars/*", "-sourcepath", ".", "-d", "classes", "JobsTest.java"],
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(control_token=TOKEN) as running:
        yield running


def go(tmp_path: Path) -> tuple[Sequence[str], Path]:
    needs("go")
    shutil.copytree(EXAMPLES / "go", tmp_path / "go")
    return ["go", "test", "-count=1", "./..."], tmp_path / "go"


def node(_tmp_path: Path) -> tuple[Sequence[str], Path]:
    needs("node")
    return ["node", "--test", "jobs.test.mjs"], EXAMPLES / "node"


def junit(_tmp_path: Path) -> tuple[Sequence[str], Path]:
    return junit_in(built(JUNIT))


def junit_in(place: Path) -> tuple[Sequence[str], Path]:
    (jar,) = (place / "jars").glob("junit-platform-console-standalone-*.jar")
    others = os.pathsep.join(
        ["classes", *[str(file) for file in sorted((place / "jars").glob("*.jar")) if file != jar]]
    )
    words = ["java", "-jar", str(jar), "execute", f"--class-path={others}", "--select-class=JobsTest"]
    return [*words, "--disable-banner", "--details=verbose"], place


def needs(program: str) -> None:
    if shutil.which(program) is None:
        do_without(f"{program} is not installed")


def run(words: Sequence[str], place: Path, url: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    given = {"FOAS_ENDPOINT": url, "FOASEMU_CONTROL_TOKEN": TOKEN, **variables}
    return subprocess.run(
        words, cwd=place, env=environment(given), capture_output=True, encoding="utf-8", timeout=300, check=False
    )


def assert_green_and_red(words: Sequence[str], place: Path, url: str) -> None:
    green = run(words, place, url)
    assert green.returncode == 0, green.stdout + green.stderr
    assert WHY not in green.stdout
    red = run(words, place, url, EXAMPLE_MUST_FAIL="1")
    assert red.returncode != 0
    assert WHY in red.stdout
    lines = red.stdout.splitlines()
    (call,) = [line for line in lines if line.endswith(f"-> 400 {WHY}")]
    assert '#1 GetInstance {"projectName": "project1"' in call, "each call is a line"
    assert any(line.strip("#\u2139 ").startswith("Job 'job1' is not running") for line in lines), "with its hint below"


def test_a_red_node_test_whose_world_is_gone_says_why(emulator: Emulator, tmp_path: Path) -> None:
    needs("node")
    shutil.copy(EXAMPLES / "node" / "foas-world.mjs", tmp_path)
    (tmp_path / "gone.test.mjs").write_text(
        """
        import { test } from "node:test";
        import { withWorld } from "./foas-world.mjs";
        test("red", withWorld(async (world) => {
          await world.control("DELETE", "");
          throw new Error("its own reason");
        }));
        """,
        "utf-8",
    )
    red = run(["node", "--test", "gone.test.mjs"], tmp_path, emulator.url)
    assert red.returncode != 0
    assert "its own reason" in red.stdout
    assert "There is no world" in red.stdout


@pytest.mark.parametrize("example", [go, node, junit], ids=lambda example: example.__name__)
def test_an_example_without_a_server_names_the_address_that_it_asked(example: object, tmp_path: Path) -> None:
    assert callable(example)
    words, place = example(tmp_path)
    red = run(words, place, "http://127.0.0.1:1")
    assert red.returncode != 0
    assert "No foas-emulator answers at http://127.0.0.1:1: start one" in red.stdout


@pytest.mark.parametrize("example", [go, node, junit], ids=lambda example: example.__name__)
def test_an_example_whose_address_is_wrong_says_what_one_looks_like(
    example: object, emulator: Emulator, tmp_path: Path
) -> None:
    assert callable(example)
    words, place = example(tmp_path)
    without_scheme = run(words, place, emulator.url.removeprefix("http://")).stdout
    assert "FOAS_ENDPOINT to" in without_scheme
    assert "such as http://127.0.0.1:8018" in without_scheme
    secure = emulator.url.replace("http:", "https:")
    assert f"No foas-emulator answers at {secure}: start one" in run(words, place, secure).stdout


@pytest.mark.parametrize("example", [go, node, junit], ids=lambda example: example.__name__)
def test_the_example_runs_and_a_red_test_shows_its_journal(example: object, emulator: Emulator, tmp_path: Path) -> None:
    assert callable(example)
    words, place = example(tmp_path)
    assert_green_and_red(words, place, f"{emulator.url}/")  # as some write an address
    assert emulator.worlds() == ["default"]
