"""If a call has two mistakes, a missing resource is reported before a missing parameter."""

from typing import Any

import pytest

from tests.api import Api

JOB = {"projectName": "none", "jobName": "none"}
INSTANCE = {**JOB, "instanceId": 1}
CLUSTER = {"clusterId": "none"}


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("UpdateProject", {"projectName": "none"}, "InvalidProject.NotFound"),
        ("UpdateProjectConfig", {"ProjectName": "none"}, "InvalidProject.NotFound"),
        ("CreateFolder", {"projectName": "none"}, "InvalidProject.NotFound"),
        ("MVFolder", {"projectName": "none"}, "InvalidProject.NotFound"),
        ("CreateJob", {"projectName": "none"}, "InvalidProject.NotFound"),
        ("CommitJob", {**JOB, "isOnOff": True}, "InvalidProject.NotFound"),
        ("ModifyInstanceState", INSTANCE, "InvalidProject.NotFound"),
        ("UpdateAutoScaleConfig", INSTANCE, "InvalidProject.NotFound"),
        ("GetInstanceMetric", JOB, "InvalidProject.NotFound"),
        ("CreatePackage", {"projectName": "none"}, "InvalidProject.NotFound"),
        ("BindQueue", {"projectName": "none"}, "InvalidProject.NotFound"),
        ("CreateQueue", CLUSTER, "InvalidCluster.NotFound"),
        ("UpdateQueue", CLUSTER, "InvalidCluster.NotFound"),
        ("DeleteQueue", CLUSTER, "InvalidCluster.NotFound"),
        ("ExpandCluster", CLUSTER, "InvalidCluster.NotFound"),
        ("ShrinkCluster", CLUSTER, "InvalidCluster.NotFound"),
        ("ModifyMasterSpec", CLUSTER, "InvalidCluster.NotFound"),
        ("GetClusterMetrics", CLUSTER, "InvalidCluster.NotFound"),
    ],
)
def test_a_resource_that_is_not_there_is_reported_before_a_missing_parameter(
    api: Api, operation: str, parameters: dict[str, Any], code: str
) -> None:
    assert api.call(operation, **parameters).code == code
