"""The examples for Testcontainers: they compile, and what they ask of a container holds for the image's own process.

No container engine is needed: their tests run against that process, as they do wherever FOAS_ENDPOINT is set.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from foas_emulator.settings import Settings
from tests.clients.builds import PYTHON_CORE_2_13, Project, built
from tests.examples.test_examples import EXAMPLES, JUNIT, TOKEN, assert_green_and_red, junit_in, needs, run
from tests.process import DIRECTLY, serving

GO = Project(
    root=EXAMPLES,
    language="go-testcontainers",
    shares="go",
    needs=["go"],
    fetch=[["go", "mod", "download"]],
    compile=["go", "test", "-c", "-o", "jobs.test", "."],
)
JAVA = replace(
    JUNIT,
    language="junit-testcontainers",
    shares="junit",
    compile=[*(JUNIT.compile or ())[:1], "-Xlint:all", "-Werror", *(JUNIT.compile or ())[1:]],
)
NODE = Project(
    root=EXAMPLES,
    language="node-testcontainers",
    shares="node",
    needs=["node", "npm"],
    fetch=[["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]],
    compile=["node_modules/.bin/tsc", "--project", "tsconfig.json"],
)
PYTHON = replace(
    PYTHON_CORE_2_13,
    root=EXAMPLES,
    language="python-testcontainers",
    shares=None,
    fetch=[PYTHON_CORE_2_13.fetch[0], PYTHON_CORE_2_13.fetch[2]],
    compile=[
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--python-executable",
        "venv/bin/python",
        "conftest.py",
        "test_jobs.py",
    ],
)

DOCKERFILE = (EXAMPLES.parent / "Dockerfile").read_text("utf-8")


@dataclass(frozen=True)
class Example:
    """An example's project, the file in which it starts a container, and the command that runs its tests."""

    project: Project
    starter: str
    tests: Callable[[Path], Sequence[str]]

    def __str__(self) -> str:
        return self.project.language.partition("-")[0]

    @property
    def text(self) -> str:
        return (EXAMPLES / self.project.language / self.starter).read_text("utf-8")


SAMPLES = (
    Example(GO, "container_test.go", lambda place: [str(place / "jobs.test"), "-test.v"]),
    Example(JAVA, "FoasContainer.java", lambda place: junit_in(place)[0]),
    Example(NODE, "foas-container.mjs", lambda _: ["node", "--test", "jobs.test.mjs"]),
    Example(PYTHON, "conftest.py", lambda _: ["venv/bin/python", "-m", "pytest", "-p", "no:cacheprovider"]),
)


def values(name: str, text: str = DOCKERFILE) -> list[str]:
    """What an instruction of the Dockerfile says, each time."""
    return re.findall(rf"^{name} (.*)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def container() -> Iterator[httpx.Client]:
    """The process of the image, in its environment and that of the examples, as its host reaches it."""
    (environment,) = values("ENV")
    variables = dict(word.split("=", 1) for word in environment.split() if word.startswith("FOASEMU_"))
    assert (values("ENTRYPOINT"), values("CMD")) == (['["foas-emulator"]'], ['["serve"]'])
    with serving(variables={**variables, "FOASEMU_CONTROL_TOKEN": TOKEN}) as emulator:
        url = emulator.url.replace("0.0.0.0", "127.0.0.1")
        with httpx.Client(base_url=url, **DIRECTLY) as client:
            yield client


@pytest.mark.parametrize("example", SAMPLES, ids=str)
def test_the_example_asks_of_a_container_what_the_image_has(example: Example, container: httpx.Client) -> None:
    assert set(re.findall(r"(?<!=)\b\d{4}\b", example.text)) == set(values("EXPOSE")) == {str(Settings().port)}
    (readiness,) = set(re.findall(r"\"(/_emulator/\w+)\"", example.text))
    assert container.get(readiness).status_code == 200, "without a token, as a wait strategy asks"
    assert set(re.findall(r"FOASEMU_\w+", example.text)) == {"FOASEMU_CONTROL_TOKEN"}
    assert '"foas-emulator"' in example.text


def test_the_token_of_the_examples_is_needed_and_opens_the_control_api(container: httpx.Client) -> None:
    assert container.get("/_emulator/worlds").status_code == 401
    assert container.get("/_emulator/worlds", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


@pytest.mark.parametrize("host", ["localhost:32768", "docker:32768", "172.17.0.2:8018"])
def test_the_container_is_reached_by_whatever_name_its_engine_has(host: str, container: httpx.Client) -> None:
    assert container.get("/_emulator/health", headers={"host": host}).status_code == 200
    answer = container.put(
        "/_emulator/worlds/by-name/settings", json={}, headers={"host": host, "authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("example", SAMPLES, ids=str)
def test_the_example_compiles_and_its_tests_run(example: Example, container: httpx.Client) -> None:
    place = built(example.project)
    assert_green_and_red(example.tests(place), place, str(container.base_url).rstrip("/"))


def test_a_red_python_test_whose_world_is_gone_says_why_and_ends_no_other(
    container: httpx.Client, tmp_path: Path
) -> None:
    python = built(PYTHON) / "venv" / "bin" / "python"
    shutil.copy(EXAMPLES / "python-testcontainers" / "conftest.py", tmp_path)
    (tmp_path / "test_gone.py").write_text(
        """
def test_red(world):
    world.control("DELETE", "")
    raise AssertionError("its own reason")

def test_green(world):
    assert world.control("GET", "/journal")["total"] == 0
""",
        "utf-8",
    )
    words = [str(python), "-m", "pytest", "-p", "no:cacheprovider", "test_gone.py"]
    red = run(words, tmp_path, str(container.base_url).rstrip("/"))
    assert "its own reason" in red.stdout
    assert "HTTP Error 404" in red.stdout
    assert "1 failed, 1 passed" in red.stdout, red.stdout


def test_go_is_formatted() -> None:
    needs("gofmt")
    written = subprocess.run(
        ["gofmt", "-l", "go", "go-testcontainers"], cwd=EXAMPLES, capture_output=True, encoding="utf-8", check=True
    )
    assert written.stdout == ""
