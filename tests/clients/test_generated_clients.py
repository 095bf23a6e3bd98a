"""Clients that generators make of the service's OpenAPI document as it is shipped: they compile, and call."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.clients.builds import GO, Project, built
from tests.clients.sdk import environment

DOCUMENT = Path(__file__).parents[2] / "openapi" / "foas-2018-11-11.yaml"

OAPI_CODEGEN = Project(
    language="go_openapi",
    needs=GO.needs,
    fetch=GO.fetch,
    compile=["sh", "-ec", f"go tool oapi-codegen -config oapi-codegen.yaml {DOCUMENT.name}\ngo build -o drive ."],
    takes=[DOCUMENT],
)
GENERATE_AND_COMPILE = """
java -jar jars/test/openapi-generator-cli-7.25.0.jar batch java.yaml python.yaml
find java/src/main -name '*.java' > sources
javac --release 11 -nowarn -cp 'jars/compile/*' -d classes Drive.java @sources
"""
OPENAPI_GENERATOR = Project(
    language="openapi_generator",
    needs=["java", "javac", "mvn"],
    fetch=[["mvn", "--batch-mode", "--quiet", "dependency:copy-dependencies"]],
    compile=["sh", "-ec", GENERATE_AND_COMPILE],
    takes=[DOCUMENT],
)
"""Both of its languages in one project, as the generator starts slowly."""

ANSWERED = {
    "state": "RUNNING",
    "startTime": 1599794335000,
    "code": "InvalidInstance.NotRunning",
    "created": 200,
    "committed": 200,
}
"""What GetInstance, its documented failure, CreateJob and CommitJob are answered with; StartJob gives an id."""


def call(command: Sequence[str | Path], endpoint: str, **variables: str) -> Mapping[str, Any]:
    """Return what the calls of a driver were answered with, without the id of the new instance, which is a number."""
    done = subprocess.run(
        [*command, f"http://{endpoint}"],
        env=environment() | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answered: dict[str, Any] = json.loads(done.stdout)
    assert type(answered.pop("id")) is int
    return answered


@pytest.mark.xdist_group("clients-oapi-codegen")
def test_a_client_by_oapi_codegen_calls_the_service(server: Callable[[str], str]) -> None:
    assert call([built(OAPI_CODEGEN) / "drive"], server("off")) == ANSWERED


@pytest.mark.xdist_group("clients-openapi-generator")
def test_clients_by_openapi_generator_for_java_and_python_call_the_service(server: Callable[[str], str]) -> None:
    project = built(OPENAPI_GENERATOR)
    classpath = os.pathsep.join([str(project / "classes"), str(project / "jars" / "compile" / "*")])
    assert call(["java", "-cp", classpath, "Drive"], server("off")) == ANSWERED
    python = [sys.executable, str(project / "drive.py")]
    assert call(python, server("off"), PYTHONPATH=str(project / "python")) == ANSWERED
