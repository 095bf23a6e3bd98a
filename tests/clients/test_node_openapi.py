"""Linters and a typed client of TypeScript take the OpenAPI documents as they are shipped."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clients.builds import NODE, built
from tests.clients.test_generated_clients import ANSWERED, call

pytestmark = pytest.mark.xdist_group("clients-node-openapi")

PROJECT = replace(NODE, language="node_openapi")
DOCUMENTS = Path(__file__).parents[2] / "openapi"
SERVICE = DOCUMENTS / "foas-2018-11-11.yaml"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
each_document = pytest.mark.parametrize("document", [SERVICE, DOCUMENTS / "control.yaml"], ids=lambda file: file.stem)


@pytest.fixture(scope="module")
def tools() -> Path:
    return built(PROJECT)


@pytest.fixture(scope="module")
def client(tools: Path) -> Iterator[Path]:
    """A client whose types are made from the service's document, compiled."""
    directory = Path(tempfile.mkdtemp(dir=tools))
    for name in ("package.json", "tsconfig.json", "drive.ts"):
        shutil.copy(tools / name, directory)
    run(tools, "openapi-typescript", str(SERVICE), "--output", str(directory / "service.d.ts"))
    run(tools, "tsc", "--project", str(directory))
    yield directory / "drive.js"
    shutil.rmtree(directory)


def run(tools: Path, program: str, *arguments: str, directory: Path | None = None) -> str:
    """Run a program of the project, there or in a directory, which has to succeed; answers what it wrote."""
    done = subprocess.run(
        [tools / "node_modules" / ".bin" / program, *arguments],
        cwd=directory or tools,
        env=os.environ | QUIET,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@each_document
def test_redocly_finds_nothing(document: Path, tools: Path) -> None:
    found = json.loads(run(tools, "redocly", "lint", "--config", "redocly.yaml", "--format", "json", str(document)))
    assert found["problems"] == []


@each_document
def test_spectral_finds_nothing(document: Path, tools: Path) -> None:
    run(tools, "spectral", "lint", "--ruleset", "spectral.yaml", "--fail-severity", "hint", str(document))


def test_a_client_in_typescript_calls_the_service(client: Path, server: Callable[[str], str]) -> None:
    assert call(["node", client], server("off")) == ANSWERED
