"""The rules of projects."""

from typing import Any

import pytest

from foas_emulator.operations.columns import ACCOUNT
from tests.api import Api
from tests.operations import building


def test_a_project_on_a_cluster_is_shown_with_all_that_was_given(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.ok(
        "CreateProject",
        name="project1",
        deployType="cell",
        clusterId=cluster_id,
        managerIds="1234567",
        description="测试项目",
    )
    project = api.ok("GetProject", projectName="project1")["Project"]
    assert len(project.pop("Id")) == 24
    created = project.pop("CreateTime")
    assert created % 1000 == 0
    assert project == {
        "State": "ENABLE",
        "DeployType": "CELL",
        "Creator": ACCOUNT,
        "Modifier": ACCOUNT,
        "Description": "测试项目",
        "Region": "cn-hangzhou",
        "ManagerIds": "1234567",
        "Name": "project1",
        "ModifyTime": created,
        "ClusterId": cluster_id,
    }


def test_a_project_on_the_shared_cluster_needs_an_order_and_no_cluster(api: Api) -> None:
    api.refused("CreateProject", name="p", deployType="public", code="MissingorderId")
    api.ok("CreateProject", name="p", deployType="PUBLIC", orderId="stream-abcd")
    project = api.ok("GetProject", projectName="p")["Project"]
    assert (project["DeployType"], project["Region"]) == ("PUBLIC", "cn-shanghai")
    assert "ClusterId" not in project


@pytest.mark.parametrize("is_there", [True, False])
def test_a_project_on_the_shared_cluster_takes_no_other(api: Api, *, is_there: bool) -> None:
    cluster_id = building.cluster(api)
    given = cluster_id if is_there else "absent"
    api.ok("CreateProject", name="p", deployType="public", orderId="stream-abcd", clusterId=given)
    assert "ClusterId" not in api.ok("GetProject", projectName="p")["Project"]
    assert api.ok("ListProject", clusterId=given)["TotalCount"] == 0
    api.ok("DestroyCluster", clusterId=cluster_id)


@pytest.mark.parametrize(("given", "is_noted"), [("", False), ("any", True)])
def test_a_cluster_that_a_project_does_not_take_is_noted_unless_it_is_empty(
    api: Api, given: str, *, is_noted: bool
) -> None:
    form = {"name": "p", "deployType": "public", "orderId": "stream-abcd", "clusterId": given}
    answer = api.request("POST", "/api/v2/projects", data=form)
    assert answer.status_code == 200
    assert ("clusterId" in answer.headers.get("x-emulator-warning", "")) is is_noted


def test_a_project_on_a_cluster_needs_the_cluster(api: Api) -> None:
    api.refused("CreateProject", name="p", deployType="cell", code="MissingclusterId")
    api.refused("CreateProject", name="p", deployType="cell", clusterId="x", code="InvalidCluster.NotFound", status=404)


def test_a_project_is_not_made_on_a_cluster_that_is_starting(api: Api) -> None:
    api.world.set({"cluster_delay": "30s"})
    cluster_id = building.cluster(api)
    api.refused("CreateProject", name="p", deployType="cell", clusterId=cluster_id, code="InvalidCluster.NotRunning")
    api.advance("30s")
    api.ok("CreateProject", name="p", deployType="cell", clusterId=cluster_id)


def test_a_project_needs_a_name_and_a_deploy_type(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.refused("CreateProject", deployType="cell", clusterId=cluster_id, code="Missingname")
    api.refused("CreateProject", name="", deployType="cell", clusterId=cluster_id, code="Invalidname")
    api.refused("CreateProject", name="n" * 129, deployType="cell", clusterId=cluster_id, code="Invalidname")
    api.refused("CreateProject", name="p", clusterId=cluster_id, code="MissingdeployType")
    api.refused("CreateProject", name="p", deployType="private", clusterId=cluster_id, code="InvaliddeployType")


def test_a_project_name_stands_once(api: Api) -> None:
    cluster_id = building.project(api, "p")
    api.refused("CreateProject", name="p", deployType="cell", clusterId=cluster_id, code="InvalidProject.Duplicate")


def test_an_absent_project_is_not_found(api: Api) -> None:
    for operation in ("GetProject", "UpdateProject", "DeleteProject"):
        api.refused(operation, projectName="absent", code="InvalidProject.NotFound", status=404)
    api.refused(
        "UpdateProjectConfig", ProjectName="absent", IsOpenBatchSQL=True, code="InvalidProject.NotFound", status=404
    )


def test_projects_are_listed_oldest_first(api: Api) -> None:
    cluster_id = building.project(api, "b")
    api.advance("1s")
    building.project(api, "a", cluster_id=cluster_id)
    listed = api.ok("ListProject")["Projects"]["Project"]
    assert [project["Name"] for project in listed] == ["b", "a"]


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ("name", "ta", ["data", "data2"]),
        ("name", "data2", ["data2"]),
        ("name", "%", []),
        ("deployType", "Public", ["shared"]),
        ("region", "cn-hangzhou", ["data", "data2"]),
        ("region", "cn-hang", []),
        ("clusterId", "absent", []),
    ],
)
def test_a_list_of_projects_is_narrowed_by_each_condition(api: Api, condition: str, value: Any, expected: Any) -> None:
    building.stand_still(api)
    cluster_id = building.project(api, "data")
    building.project(api, "data2", cluster_id=cluster_id)
    api.ok("CreateProject", name="shared", deployType="public", orderId="stream-abcd")
    members = api.ok("ListProject", **{condition: value})
    assert [project["Name"] for project in members["Projects"]["Project"]] == expected
    assert members["TotalCount"] == len(expected)


def test_a_list_of_projects_fulfils_all_conditions_together(api: Api) -> None:
    cluster_id = building.project(api, "a")
    building.project(api, "b", cluster_id=cluster_id)
    members = api.ok("ListProject", name="a", clusterId=cluster_id, deployType="cell", region="cn-hangzhou")
    (project,) = members["Projects"]["Project"]
    assert project["Name"] == "a"
    assert "GlobalJobConfig" not in project


def test_the_configuration_of_all_jobs_is_replaced(api: Api) -> None:
    building.project(api, "p")
    api.advance("5s")
    api.ok("UpdateProject", projectName="p", globalJobConfig="sql.type=print")
    project = api.ok("GetProject", projectName="p")["Project"]
    assert project["GlobalJobConfig"] == "sql.type=print"
    assert project["ModifyTime"] > project["CreateTime"]
    api.refused("UpdateProject", projectName="p", code="MissingglobalJobConfig")


def test_batch_sql_is_allowed_by_a_call_that_answers_true(api: Api) -> None:
    building.project(api, "p")
    assert api.ok("UpdateProjectConfig", ProjectName="p", IsOpenBatchSQL="True") == {"Data": True}
    api.refused("UpdateProjectConfig", ProjectName="p", code="MissingIsOpenBatchSQL")
    api.refused("UpdateProjectConfig", IsOpenBatchSQL=True, code="MissingProjectName")


def test_a_project_is_deleted_with_all_it_holds_and_its_queue_is_free(api: Api) -> None:
    cluster_id = building.project_with_queue(api, "p")
    api.ok("CreateFolder", projectName="p", path="/a/b")
    api.ok("CreatePackage", projectName="p", packageName="a.jar", type="JAR", ossPath="a.jar")
    building.job(api, "j", project_name="p", packages="a.jar")
    api.ok("DeleteProject", projectName="p")
    assert api.ok("ListProject")["TotalCount"] == 0
    building.project(api, "p", cluster_id=cluster_id)
    api.ok("BindQueue", projectName="p", clusterId=cluster_id, queueName="root.p")
    assert api.ok("ListChildFolder", projectName="p", path="/") == {"Folders": {"Folder": []}}
    assert api.ok("ListPackage", projectName="p")["TotalCount"] == 0
    assert api.ok("ListJob", projectName="p")["TotalCount"] == 0


def test_a_project_with_online_jobs_is_not_deleted(api: Api) -> None:
    building.project_with_queue(api, "p")
    building.online_job(api, "j", project_name="p")
    refusal = api.refused("DeleteProject", projectName="p", code="InvalidProject.JobsOnline")
    assert "'j'" in refusal.hint
    api.ok("OfflineJob", projectName="p", jobName="j")
    api.ok("DeleteProject", projectName="p")


def test_a_project_on_the_shared_cluster_is_not_deleted(api: Api) -> None:
    api.ok("CreateProject", name="p", deployType="public", orderId="stream-abcd")
    api.refused("DeleteProject", projectName="p", code="InvalidProject.NotExclusive")
