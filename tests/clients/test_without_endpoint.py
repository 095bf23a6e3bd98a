"""The tour of each SDK through `foas-emulator run`: the programs name no endpoint, and the server is strict."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.clients.builds import GO, HERE, JAVA, NODE, NODE_TEA, PHP, built
from tests.clients.conftest import emulator
from tests.clients.sdk import Dialect, Sdk, make_the_step
from tests.clients.test_go import Go
from tests.clients.test_java import Java
from tests.clients.test_node import PopCore
from tests.clients.test_node_tea import NodeTea
from tests.clients.test_php import Php
from tests.clients.test_python_core import PythonCore
from tests.clients.test_python_tea import Tea
from tests.clients.tour import SEED, TOUR, Step, get_instance

pytestmark = pytest.mark.xdist_group("clients-without-endpoint")

ELSEWHERE = "ecs.cn-hangzhou.aliyuncs.com"


def java() -> list[str]:
    project = built(JAVA)
    return ["java", "-cp", f"{project / 'classes'}:{project / 'jars' / '*'}", "Drive"]


SDKS: list[tuple[Dialect, Callable[[], list[str]]]] = [
    (PythonCore(), lambda: [sys.executable, str(HERE / "python_core" / "drive.py")]),
    (Tea(), lambda: [sys.executable, str(HERE / "python_tea" / "drive.py")]),
    (Go(), lambda: [str(built(GO) / "drive")]),
    (Java(), java),
    (PopCore(), lambda: ["node", str(built(NODE) / "drive.js")]),
    (NodeTea(), lambda: ["node", str(built(NODE_TEA) / "drive.js")]),
    (Php(), lambda: ["php", str(built(PHP) / "drive.php")]),
]


@dataclass
class Program:
    """A driver that runs in the environment of `foas-emulator run`."""

    dialect: Dialect
    sdk: Sdk


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    options = ("--signature", "strict", "--seed", "default", "--seed", str(SEED), "--intercept", "0")
    with emulator(*options) as endpoint:
        yield endpoint


@pytest.fixture(scope="module", params=SDKS, ids=lambda pair: pair[0].name)
def program(request: pytest.FixtureRequest, endpoint: str) -> Iterator[Program]:
    dialect, command = request.param
    run = [sys.executable, "-m", "foas_emulator", "run", "--url", f"http://{endpoint}", "--", *command()]
    with Sdk(run) as sdk:
        yield Program(dialect, sdk)


@pytest.mark.parametrize("step", [step for step in TOUR if step.signature == "strict"], ids=str)
def test_the_sdk_makes_the_step_though_the_program_names_no_endpoint(
    step: Step, program: Program, endpoint: str
) -> None:
    make_the_step(step, program.sdk, dialect=program.dialect, endpoint=endpoint, named="")


def test_a_program_that_asks_another_host_is_told_why_not(program: Program) -> None:
    call = get_instance("project1", "job1", "-1")
    outcome = program.sdk.make(call, endpoint=ELSEWHERE, access_key_id="test")
    assert outcome["ok"] is False
    assert f"--intercept-allow {ELSEWHERE} lets this one through" in outcome["message"]
