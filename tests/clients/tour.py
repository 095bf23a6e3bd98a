"""The tour: what every official SDK asks the emulator, and what it must be told, whatever its language."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Format = Literal["JSON", "XML"]

SEED = Path(__file__).with_name("seed.yaml")
DOCUMENTED = json.loads((Path(__file__).parents[2] / "fixtures/documented/GetInstance.json").read_text("utf-8"))

INSTANCE = "/api/v2/projects/[projectName]/jobs/[jobName]/instances/[instanceId]"
FOLDERS = "/api/v2/projects/[projectName]/folders"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One operation as its caller names it; method and pattern are for SDKs that have no foas package."""

    operation: str
    method: str
    pattern: str
    path: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    format: Format = "JSON"
    access_key_id: str | None = None
    """None is the key of the world that the step has for itself."""
    access_key_secret: str = "test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A success that has these members; with ``whole``, no others in their structures."""

    members: Mapping[str, Any] = field(default_factory=dict)
    whole: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """An error with this code and status, whose message contains this text."""

    code: str
    status: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class WrongSecret:
    """The refusal of a signature, told so that the SDK recognises its own string to sign."""


Expected = Answer | Refusal | WrongSecret


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Calls made one after the other in a world of their own; ``name`` is a part of that world's name."""

    name: str
    turns: tuple[tuple[Call, Expected], ...]
    signature: Literal["strict", "warn"] = "strict"
    fault: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return self.name


def get_instance(project: str, job: str, instance: str, **more: Any) -> Call:
    path = {"projectName": project, "jobName": job, "instanceId": instance}
    return Call(operation="GetInstance", method="GET", pattern=INSTANCE, path=path, **more)


def modify_instance_state(project: str, job: str, instance: str, *, expect_state: str) -> Call:
    path = {"projectName": project, "jobName": job, "instanceId": instance}
    return Call(
        operation="ModifyInstanceState",
        method="PUT",
        pattern=f"{INSTANCE}/expectstate",
        path=path,
        form={"expectState": expect_state},
    )


def create_folder(project: str, path: str) -> Call:
    return Call(
        operation="CreateFolder",
        method="POST",
        pattern=FOLDERS,
        path={"projectName": project},
        form={"path": path},
    )


def get_folder(project: str, path: str) -> Call:
    return Call(
        operation="GetFolder",
        method="GET",
        pattern=FOLDERS,
        path={"projectName": project},
        query={"path": path},
    )


documented = Answer(members={"Instance": DOCUMENTED["Instance"]}, whole=True)
running = Answer(members={"Instance": {"Id": 9001, "ActualState": "RUNNING", "ProjectName": "tour"}})
not_running = Refusal(code="InvalidInstance.NotRunning", status=400)
not_found = Refusal(code="InvalidInstance.NotFound", status=404)
throttled = Refusal(code="Throttling.User", status=400, message="Request was denied due to user flow control.")

# Every client writes "+", "*", "~", "&" and the space in its own way, on the wire and in what it signs.
FOLDER = "/新手 任务/a+b*c~d&e"

TOUR: tuple[Step, ...] = (
    Step(
        name="the-documented-instance-has-every-documented-value",
        turns=((get_instance("project1", "job1", "412536"), documented),),
    ),
    Step(
        name="minus-one-is-the-current-instance",
        turns=((get_instance("project1", "job1", "-1"), documented),),
    ),
    Step(
        name="xml-has-the-same-members",
        turns=((get_instance("project1", "job1", "412536", format="XML"), documented),),
    ),
    Step(
        name="a-stopped-job-is-not-running",
        turns=(
            (get_instance("tour", "stopped", "-1"), not_running),
            (get_instance("tour", "stopped", "9002"), not_running),
        ),
    ),
    Step(
        name="an-unknown-instance-is-not-found",
        turns=((get_instance("tour", "running", "1"), not_found),),
    ),
    Step(
        name="a-refusal-in-xml",
        turns=((get_instance("tour", "running", "1", format="XML"), not_found),),
    ),
    Step(
        name="chinese-names-and-spaces",
        turns=(
            (
                get_instance("示例 项目", "中文 作业", "9003"),
                Answer(members={"Instance": {"ProjectName": "示例 项目", "JobName": "中文 作业"}}),
            ),
        ),
    ),
    Step(
        name="a-form-and-a-query-carry-any-text",
        turns=(
            (create_folder("示例 项目", FOLDER), Answer()),
            (get_folder("示例 项目", FOLDER), Answer(members={"Folder": {"Path": FOLDER}})),
        ),
    ),
    Step(
        name="a-paused-instance-is-not-running",
        turns=(
            (get_instance("tour", "running", "-1"), running),
            (modify_instance_state("tour", "running", "-1", expect_state="PAUSED"), Answer()),
            (get_instance("tour", "running", "-1"), not_running),
        ),
    ),
    Step(
        name="the-built-in-key-is-accepted",
        turns=((get_instance("project1", "job1", "-1", access_key_id="test"), documented),),
    ),
    Step(
        name="a-wrong-secret-is-recognised",
        turns=((get_instance("tour", "running", "-1", access_key_secret="wrong"), WrongSecret()),),
    ),
    Step(
        name="a-wrong-secret-is-served-unless-strict",
        signature="warn",
        turns=((get_instance("tour", "running", "-1", access_key_secret="wrong"), running),),
    ),
    Step(
        name="throttling-is-told-once",
        fault={"match": {"operation": "GetInstance"}, "effect": {"error": "Throttling.User"}, "times": 1},
        turns=(
            (get_instance("tour", "running", "-1"), throttled),
            (get_instance("tour", "running", "-1"), running),
        ),
    ),
)
