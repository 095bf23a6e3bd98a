"""Every documented sample can be produced: with its data in the world, the operation answers what the sample shows.

`{Operation}.json` and `.xml` are the boxes of the help page, or those of the API's metadata where there is no page;
`{Operation}.meta.json` is the metadata's box where a page has one too.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.parsers.expat import ExpatError

import pytest
import xmltodict

from foas_emulator.gateway.formats import ApiResponse
from tests.api import Api, open_api, read_members
from tests.contract.contract import CONTRACT, HERE, differences, misfits
from tests.contract.documented import BEFORE

SAMPLES = HERE / "samples"

_CAMEL = "lower camel case, a dump of what stands behind the gateway; SDKs read PascalCase"
_OTHER = "the box of another operation was pasted in"
WRONG = {
    **dict.fromkeys(
        [
            *("BindQueue.json", "BindQueue.xml", "CommitJob.json", "CommitJob.xml", "CreateJob.json", "CreateJob.xml"),
            *("CreateProject.json", "CreateProject.xml", "DeleteFolder.json", "DeleteFolder.xml"),
            *("DeleteProject.json", "DeleteProject.xml", "DeleteQueue.json", "DeleteQueue.xml"),
            *("DestroyCluster.json", "DestroyCluster.xml", "ExpandCluster.json", "ExpandCluster.xml"),
            *("GetJob.json", "GetJob.xml"),
            *("ModifyInstanceState.xml", "ModifyMasterSpec.xml", "UnbindQueue.json", "UnbindQueue.xml"),
        ],
        _CAMEL,
    ),
    **dict.fromkeys(["GetClusterMetrics.json", "GetInstanceMetric.json"], f"{_CAMEL}; and the list is not wrapped"),
    **dict.fromkeys(
        ["GetClusterMetrics.xml", "GetInstanceMetric.xml"],
        f"{_CAMEL}; and an element's name cannot begin with a digit",
    ),
    "UpdateAutoScaleConfig.xml": f"{_OTHER}, that of GetClusterMetrics",
    "GetInstanceHistoryAutoScalePlanContent.xml": "an error, published as a success",
}
"""Boxes that are no answer of the operation, with the reason."""

_GENERATED = "the box was put together from the examples of the single members"
_TRIMMED = "the box counts more items than it shows"
_BY_ENGINE = "the text of the engine stands in the place of the placeholder"
_MADE_UP = "the service made it up, and so does the emulator"
_OTHER_PROJECT = "a project's list cannot show packages of another project"
_LEAST = "what a queue has at least and at most is the same, as the page says of the public cloud"
_LEAST_MEMBERS = {f"Queues.Queue.{name}": _LEAST for name in ("MinVCore", "MinMem", "ExternalInfo")}
OTHERWISE: Mapping[str, Mapping[str, str]] = {
    "BatchGetInstanceRunSummary.meta.json": {"RunSummarys.RunSummary.ExpectState": "RUNNING, spelt wrongly"},
    "CheckRawPlanJson.json": {
        "PlanJsonInfo.PlanJson": _BY_ENGINE,
        "PlanJsonInfo.ErrorMessage": f"{_GENERATED}; making a plan ends with the plan or an error, never with both",
    },
    "CreateCluster.json": {"ClusterId": _MADE_UP},
    "CreateCluster.xml": {"ClusterId": _MADE_UP},
    "GetClusterMetrics.meta.json": dict.fromkeys(
        [f"Metrics.Metric.{name}" for name in ("MetricName", "Dps", "Summary", "Tags")], _GENERATED
    ),
    "GetClusterQueueInfo.json": _LEAST_MEMBERS,
    "GetClusterQueueInfo.meta.json": {
        "Queues.Queue.MinMem": _LEAST,
        "Queues.Queue.ExternalInfo": f"{_LEAST}; and the box has it with one backslash too many",
    },
    "GetClusterQueueInfo.xml": _LEAST_MEMBERS,
    "GetInstanceCheckpoint.json": {"Checkpoints": _BY_ENGINE},
    "GetInstanceConfig.json": {"Config": _BY_ENGINE},
    "GetInstanceDetail.json": {"Detail": _BY_ENGINE},
    "GetInstanceExceptions.json": {"Exceptions": _BY_ENGINE},
    "GetInstanceHistoryAutoScalePlanContent.json": {"PlanContent": _BY_ENGINE},
    "GetInstanceHistoryAutoScalePlanList.json": {"PlanList.Plan": f"{_GENERATED}; a plan is named by its time"},
    "GetInstanceMetric.meta.json": dict.fromkeys(
        [f"Metrics.Metric.{name}" for name in ("MetricName", "Dps", "Summary", "Tags")], _GENERATED
    ),
    "GetInstanceResource.json": dict.fromkeys(
        ["Resource.TotalMB", "Resource.TotalVirtualCores"], "what is used of what was asked for is left to chance"
    ),
    "GetJobLatestAutoScalePlan.json": {"PlanJson": _BY_ENGINE},
    "GetProject.json": {"Project.DeployType": f"{_GENERATED}; the page's XML and ListProject have CELL"},
    "GetRawPlanJson.json": {"SessionId": _MADE_UP},
    "ListCluster.json": {"TotalCount": _TRIMMED},
    "ListCluster.meta.json": {"TotalCount": _TRIMMED, "TotalPage": _TRIMMED},
    "ListCluster.xml": {"TotalCount": _TRIMMED},
    "ListInstance.json": {"TotalCount": _TRIMMED, "TotalPage": _TRIMMED},
    "ListJob.json": {
        "TotalCount": _TRIMMED,
        "TotalPage": _TRIMMED,
        "Jobs.Job.JobId": "a later member; the SDKs read it",
        "Jobs.Job.FileId": "GetJob's metadata has it; here it is shown too",
    },
    "ListPackage.json": {"Packages.Package.ProjectName": _OTHER_PROJECT},
    "ListPackage.meta.json": {"TotalCount": _TRIMMED},
    "ListPackage.xml": {"Packages.Package.ProjectName": _OTHER_PROJECT},
    "ListProject.json": {"TotalCount": _TRIMMED},
    "ListProject.meta.json": {"TotalCount": _TRIMMED},
    "ListProject.xml": {"TotalCount": _TRIMMED},
    "ListProjectBindQueueResource.json": {"Queues.Queue.MinVCore": _LEAST, "Queues.Queue.MinMem": _LEAST},
    "ListProjectBindQueueResource.xml": {"Queues.Queue.MinVCore": _LEAST, "Queues.Queue.MinMem": _LEAST},
    "ValidateJob.meta.json": {
        "JobInOut.Dims.Dim.Type": f"{_GENERATED}; the page's box has the type that Properties has",
        **{
            f"JobInOut.{role}.{name}": f"{_GENERATED}; the page's box has neither a Name nor a project as Workspace"
            for role in ("Inputs.Input", "Outputs.Output", "Dims.Dim")
            for name in ("Name", "Workspace", "Properties")
        },
    },
}
"""Of each box: the members that the emulator answers otherwise, with the reason. All others are answered as shown."""

FILES = sorted(file.name for file in SAMPLES.iterdir())
RIGHT = [file for file in FILES if file not in WRONG]


@pytest.fixture(scope="module", params=["json", "xml"])
def emulator(request: pytest.FixtureRequest) -> Iterator[Api]:
    with open_api(wire_format=request.param, seed=("empty",)) as opened:
        yield opened


@pytest.fixture
def api(emulator: Api) -> Api:
    """An emulator whose default world is empty; where it is kept makes no difference to the shape of an answer."""
    emulator.registry.reset("default")
    return emulator


def operation_of(file: str) -> str:
    return file.partition(".")[0]


def read_box(file: str) -> dict[str, Any]:
    """A box's members but the RequestId, those of XML with the types of the contract. Raises if it cannot be read."""
    text = (SAMPLES / file).read_text("utf-8")
    if file.endswith(".json"):
        members = json.loads(text)
    else:
        tree = {"RequestId": "string", **CONTRACT[operation_of(file)]["answer"]}
        box = xmltodict.parse(f"<Box>{text}</Box>")["Box"]
        members = _typed(box.get(f"{operation_of(file)}Response", box), tree)
    members.pop("RequestId")
    return dict(members)


_READ: Mapping[Any, Callable[[str], Any]] = {"integer": int, "number": float, "boolean": json.loads}


def _typed(value: Any, tree: Any) -> Any:
    """A value of XML with the types of a tree; what the tree does not know stays as it is."""
    if isinstance(tree, dict):
        return {name: _typed(member, tree.get(name)) for name, member in value.items()}
    if isinstance(tree, list):
        return [_typed(item, tree[0]) for item in (value if isinstance(value, list) else [value])]
    if tree == "string":
        return value or ""
    return _READ[tree](value) if tree in _READ else value


def test_every_operation_with_a_sample_is_called() -> None:
    assert sorted(BEFORE) == sorted({operation_of(file) for file in FILES})
    assert OTHERWISE.keys() <= set(RIGHT)


@pytest.mark.parametrize("file", RIGHT)
def test_the_sample_is_of_the_contract(file: str) -> None:
    """A page's JSON has the contract's order; XML and the metadata's boxes beside a page have others."""
    box, tree = read_box(file), CONTRACT[operation_of(file)]["answer"]
    in_order = file == f"{operation_of(file)}.json"
    assert list(misfits(box if in_order else _ordered(box, tree), tree)) == []


@pytest.mark.parametrize("file", RIGHT)
def test_the_sample_is_produced(file: str, api: Api) -> None:
    operation, box = operation_of(file), read_box(file)
    answer = api.ok(operation, **BEFORE[operation](api, box))
    assert set(differences(box, answer, CONTRACT[operation]["answer"])) == set(OTHERWISE.get(file, {}))


@pytest.mark.parametrize("file", sorted(WRONG))
def test_a_wrong_sample_is_no_answer(file: str) -> None:
    tree = CONTRACT[operation_of(file)]["answer"]
    try:
        box = read_box(file)
    except (KeyError, ExpatError):
        return  # without a RequestId, or not even XML
    assert list(misfits(_ordered(box, tree), tree))


def test_the_error_that_was_published_is_produced(api: Api) -> None:
    box = read_box("GetInstanceHistoryAutoScalePlanContent.xml")
    path = "/api/v2/projects/project1/jobs/job1/instance/none/autoscale/plancontent?planName=a"
    response = api.request("GET", path, headers={"host": box["HostId"]})
    error = read_members(response, ApiResponse)
    assert response.status_code == 400
    assert error == box | {"RequestId": error["RequestId"]}


def _ordered(value: Any, tree: Any) -> Any:
    """A value with the members of its structures in a tree's order, those that it does not know at the end."""
    if isinstance(value, dict) and isinstance(tree, dict):
        names = sorted(value, key=lambda name: list(tree).index(name) if name in tree else len(tree))
        return {name: _ordered(value[name], tree.get(name)) for name in names}
    if isinstance(value, list) and isinstance(tree, list):
        return [_ordered(item, tree[0]) for item in value]
    return value
