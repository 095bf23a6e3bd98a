"""Older generations of the official SDKs, which programs that were written for the service still have.

They make the steps that those of today make, each from an installation of its own. What differs is their own fault, or
was not yet there.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from tests.clients.builds import GO_1_60, JAVA_4_3, NODE_1_3, PYTHON_CORE_2_13, PYTHON_TEA_0_2, Project, built
from tests.clients.sdk import Dialect, Sdk, make_the_step
from tests.clients.test_go import Go
from tests.clients.test_java import Java
from tests.clients.test_node import PopCore
from tests.clients.test_python_core import PythonCore
from tests.clients.test_python_tea import Tea
from tests.clients.tour import TOUR, Answer, Expected, Format, Refusal, Step

pytestmark = pytest.mark.xdist_group("clients-older")


class PythonCore213(PythonCore):
    name = "core-2-13"


class Tea02(Tea):
    """Tells the status in its message only, and has no type of its own for throttling."""

    exception = "TeaException"

    def __init__(self) -> None:
        super().__init__("tea-0-2")

    @override
    def exception_for(self, refusal: Refusal) -> str:
        return self.exception

    @override
    def assert_refused(self, outcome: Mapping[str, Any], refusal: Refusal) -> None:
        assert f"code: {refusal.status}, " in outcome["message"]
        super().assert_refused({**outcome, "status": refusal.status}, refusal)

    @override
    def assert_refused_in_xml(self, outcome: Mapping[str, Any], refusal: Refusal) -> None:
        """It takes every error for JSON."""
        assert (outcome["ok"], outcome["type"]) == (False, "RuntimeError")
        assert f"<Code>{refusal.code}</Code>" in outcome["message"]


class PopCore13(PopCore):
    """Tells an error by its name and in its message, and has no other members."""

    name = "node-1-3"

    @override
    def assert_refused(self, outcome: Mapping[str, Any], refusal: Refusal) -> None:
        assert (outcome["ok"], outcome["type"]) == (False, self.exception_for(refusal))
        assert outcome["message"].startswith(f"code: {refusal.status}, ")
        assert refusal.message in outcome["message"]
        assert "requestid: " in outcome["message"]


class Go160(Go):
    """Has types of an instance that know fewer members."""

    name = "go-1-60"
    unknown = frozenset({"AutoScaleParams"})

    @override
    def assert_answered(self, outcome: Mapping[str, Any], answer: Answer, wire: Format) -> None:
        members = {
            name: {key: value for key, value in structure.items() if key not in self.unknown}
            for name, structure in answer.members.items()
        }
        super().assert_answered(outcome, replace(answer, members=members), wire)


class Java43(Java):
    """Does not recognise its own string to sign."""

    name = "java-4-3"
    wrong_secret = Dialect.wrong_secret


@dataclass(frozen=True, kw_only=True)
class Generation:
    """An SDK with the project it is installed in, the command that runs its driver there, and what it cannot do."""

    dialect: Dialect
    project: Project
    command: Callable[[Path], list[str]]
    otherwise: Mapping[str, Expected] = field(default_factory=dict)
    """How the last call of a step ends with this generation, by the step's name."""
    before_python: tuple[int, int] | None = None
    """The first Python in which it cannot be imported."""

    def __str__(self) -> str:
        return self.dialect.name

    def variant_of(self, step: Step) -> Step:
        if step.name not in self.otherwise:
            return step
        *others, (call, _) = step.turns
        return replace(step, turns=(*others, (call, self.otherwise[step.name])))


def _python(project: Path) -> list[str]:
    return [str(project / "venv/bin/python"), str(project / "drive.py")]


GENERATIONS = (
    Generation(dialect=PythonCore213(), project=PYTHON_CORE_2_13, command=_python, before_python=(3, 12)),
    Generation(dialect=Tea02(), project=PYTHON_TEA_0_2, command=_python),
    Generation(dialect=PopCore13(), project=NODE_1_3, command=lambda project: ["node", str(project / "drive.js")]),
    Generation(
        dialect=Go160(),
        project=GO_1_60,
        command=lambda project: [str(project / "drive")],
        # It sends a space of the query as `+` and signs it as `%20`.
        otherwise={"a-form-and-a-query-carry-any-text": Refusal(code="SignatureDoesNotMatch", status=400)},
    ),
    Generation(
        dialect=Java43(),
        project=JAVA_4_3,
        command=lambda project: ["java", "-cp", f"{project / 'classes'}:{project / 'jars' / '*'}", "Drive"],
    ),
)


@pytest.fixture(scope="module", params=GENERATIONS, ids=str)
def generation(request: pytest.FixtureRequest) -> Generation:
    chosen: Generation = request.param
    if chosen.before_python is not None and sys.version_info >= chosen.before_python:
        pytest.skip(f"{chosen} cannot be imported in Python {sys.version_info.major}.{sys.version_info.minor}")
    return chosen


@pytest.fixture(scope="module")
def sdk(generation: Generation) -> Iterator[Sdk]:
    with Sdk(generation.command(built(generation.project))) as sdk:
        yield sdk


@pytest.mark.parametrize("step", TOUR, ids=str)
def test_the_older_sdk_makes_the_step(
    step: Step, generation: Generation, sdk: Sdk, server: Callable[[str], str]
) -> None:
    make_the_step(generation.variant_of(step), sdk, dialect=generation.dialect, endpoint=server(step.signature))
