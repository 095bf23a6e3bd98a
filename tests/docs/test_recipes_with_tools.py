"""docs/recipes.md: the recipes with Prism's proxy and for front ends, run as they stand with the tools they name."""

import os
import re
import shlex
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from foas_emulator.testing import Emulator, World
from tests.clients.builds import built
from tests.clients.sdk import environment
from tests.clients.test_node_openapi import PROJECT, run
from tests.contract.sdks import PythonSdk
from tests.contract.tour import Tour
from tests.docs.test_recipes import ALL
from tests.process import DIRECTLY

pytestmark = pytest.mark.xdist_group("clients-node-openapi")

PRISM = ALL["Check requests with Prism"]
FRONT_END = ALL["Develop a front end with MSW"]
TOLD_AT_8018 = "http://127.0.0.1:8018"
TYPE_SCRIPT = re.compile(r"```ts\n// (\S+)\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def tools() -> Path:
    return built(PROJECT)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(seed=["empty"]) as emulator:
        yield emulator


def command_of(recipe: str, program: str) -> list[str]:
    """Return the command of a recipe that runs a program, without npx."""
    (line,) = (line for line in recipe.splitlines() if line.startswith(f"npx {program} "))
    return shlex.split(line)[1:]


def save_document(emulator: Emulator, directory: Path) -> None:
    """Save the document as the recipes do; it is made when it is first asked for, which may take its time."""
    document = httpx.get(f"{emulator.url}/openapi.json", **DIRECTLY)
    (directory / "foas.json").write_bytes(document.content)


@contextmanager
def prism(tools: Path, emulator: Emulator, directory: Path) -> Iterator[str]:
    """Start the proxy as the recipe does, on a free port; gives its address."""
    save_document(emulator, directory)
    _, *arguments = command_of(PRISM, "@stoplight/prism-cli")
    arguments[arguments.index(TOLD_AT_8018)] = emulator.url
    arguments[arguments.index("4010")] = "0"
    log = directory / "prism.log"
    command = ["node", str(tools / "node_modules" / ".bin" / "prism"), *arguments]
    with log.open("w") as said:
        proxy = subprocess.Popen(command, cwd=directory, env=environment(), stdout=said, stderr=subprocess.STDOUT)
    try:
        while (listening := re.search(r"listening on http://(\S+)", log.read_text("utf-8"))) is None:
            assert proxy.poll() is None, log.read_text("utf-8")
            time.sleep(0.1)
        yield listening[1]
    finally:
        proxy.terminate()
        proxy.wait(timeout=60)


def test_the_whole_tour_through_prism_contradicts_the_document_nowhere(
    tools: Path, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)  # the SDK would send even loopback calls through it
    clock = World(emulator.control, "default").clock
    with prism(tools, emulator, tmp_path) as endpoint:
        sdk = PythonSdk(endpoint, "JSON")

        def call(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
            booleans = {name: str(value).lower() for name, value in parameters.items() if isinstance(value, bool)}
            return sdk(operation, {**parameters, **booleans})

        def wait(span: str) -> None:
            clock.advance(span)

        tour = Tour(sdk=call, wait=wait)
        tour.make()
        told = httpx.get(f"http://{endpoint}/api/v2/projects?pageSize=1000", **DIRECTLY)
    assert len(tour.answers) > 60
    assert told.status_code == 422, "Prism is there, and looks"
    assert "pagesize" in told.text


def test_pages_are_tested_with_the_examples_of_the_document_and_with_the_emulator(tools: Path) -> None:
    with Emulator() as emulator, tempfile.TemporaryDirectory(dir=tools) as name:
        directory = Path(name)
        save_document(emulator, directory)
        for file, text in TYPE_SCRIPT.findall(FRONT_END):
            (directory / file).write_text(text, "utf-8")
        (directory / "package.json").write_text('{"type": "module"}', "utf-8")
        (settings,) = re.findall(r"```json\n// tsconfig.json\n(.*?)```", FRONT_END, re.DOTALL)
        (directory / "tsconfig.json").write_text(settings, "utf-8")
        run(tools, *command_of(FRONT_END, "openapi-typescript"), directory=directory)
        assert "npx tsc\nnode --test job.test.js" in FRONT_END
        run(tools, "tsc", directory=directory)
        done = subprocess.run(
            ["node", "--test", "--test-reporter", "tap", "job.test.js"],
            cwd=directory,
            env=environment() | {"FOAS_URL": emulator.url},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 3" in done.stdout
