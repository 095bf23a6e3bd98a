"""A job is copied as a seed that makes the same job in another world."""

import json
import re
from pathlib import Path

import pytest
import yaml

from foas_emulator.console.actions import _wrapped
from foas_emulator.console.seed_text import seed_of_job, seed_text
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import Job, find_job
from foas_emulator.operations.projects.rows import Project, find_project
from foas_emulator.seeds.image import try_seeds
from foas_emulator.seeds.loading import load
from foas_emulator.world.tables import assign, equal
from foas_emulator.world.world import World
from tests.api import Api, open_api
from tests.row_counting import models_read

REQUEST_ID = re.compile(r'"RequestId":"[^"]*"')
RICH = {
    "clusters": [{"ClusterId": "c1", "slave_num": 5, "engine_versions": "current--blink-3.7.8"}],
    "projects": [
        {
            "Name": "shop & sons",
            "ClusterId": "c1",
            "queues": [{"QueueName": "root.fast", "MaxVCore": 900}, {"QueueName": "root.slow"}],
            "folders": [{"Path": "/a/b c", "FolderId": 77}],
            "packages": [{"PackageName": "x-1.jar"}, {"PackageName": "y-1.jar"}],
            "jobs": [
                {
                    "JobName": "作业 1",
                    "JobType": "FLINK_BATCH",
                    "Code": "-- <b>\n\tSELECT 1;  \n",
                    "Packages": "x-1.jar",
                    "QueueName": "root.slow",
                    "FolderId": 77,
                    "auto_scale_params": '{"isOnOff":false}',
                    "instances": [
                        {"ActualState": "FAILED", "LastErrorMessage": "a: [b]\n- c", "QueueName": "root.fast"},
                        {"ActualState": "RUNNING", "Properties": "a=1"},
                    ],
                },
            ],
        }
    ],
}


def jobs_of(api: Api) -> list[Job]:
    return api.world.store.find(Job)


def written(world: World, job: Job, instance: int | None = None) -> str:
    project = find_project(world, job.project_name)
    assert project is not None
    document = seed_of_job(world, project, job, instance=instance)
    assert document is not None
    return seed_text(document)


def answers(api: Api, world: str, job: Job) -> list[str]:
    """All that the service says of a job and of its instances."""
    asked = {"projectName": job.project_name, "jobName": job.job_name}
    headers = {"x-emulator-world": world}
    path = f"/api/v2/projects/{job.project_name}"
    several = [
        api.request(
            "GET",
            f"{path}/instances",
            params={"jobType": job.job_type, "jobName": job.job_name, "isArchived": archived},
            headers=headers,
        ).text
        for archived in ("true", "false")
    ]
    one = api.request("GET", f"{path}/jobs/{job.job_name}", headers=headers)
    assert one.status_code == 200, asked
    return [REQUEST_ID.sub("", text) for text in (one.text, *several)]


@pytest.mark.parametrize("seed", [None, RICH], ids=["the default seed", "a rich seed"])
def test_every_job_is_made_again_by_its_seed(seed: object, tmp_path: Path) -> None:
    with open_api() as api:
        if seed is not None:
            api.request("PUT", "/_emulator/worlds/default", content=json.dumps({"seed": seed}))
        jobs = jobs_of(api)
        assert jobs
        for number, job in enumerate(jobs):
            file = tmp_path / f"{number}.yaml"
            file.write_text(written(api.world, job), "utf-8")
            try_seeds([str(file)])
            made = api.request(
                "PUT",
                f"/_emulator/worlds/copy-{number}",
                content=json.dumps({"seed": yaml.safe_load(file.read_text("utf-8"))}),
            )
            assert made.status_code == 201, made.text
            assert answers(api, f"copy-{number}", job) == answers(api, "default", job)


def test_an_instance_is_copied_without_the_others() -> None:
    with open_api() as api:
        job = find_job(api.world, "project1", "job1")
        assert job is not None
        text = written(api.world, job, 123)
        assert "id: 123" in text.lower()
        assert "412536" not in text


def test_a_job_that_is_offline_is_made_again_with_its_instances() -> None:
    with open_api() as api:
        api.ok("ModifyInstanceState", projectName="project1", jobName="job1", instanceId=-1, expectState="TERMINATED")
        api.ok("OfflineJob", projectName="project1", jobName="job1")
        job = find_job(api.world, "project1", "job1")
        assert job is not None
        seed = yaml.safe_load(written(api.world, job))
        api.request("PUT", "/_emulator/worlds/copy", content=json.dumps({"seed": seed}))
        assert answers(api, "copy", job)[1:] == answers(api, "default", job)[1:]


def assert_copied_without_a_start(api: Api) -> None:
    job = find_job(api.world, "demo", "committed-never-started")
    assert job is not None
    seed = yaml.safe_load(written(api.world, job))
    api.request("PUT", "/_emulator/worlds/copy", content=json.dumps({"seed": seed}))
    assert "StartTime" not in answers(api, "default", job)[2]
    assert answers(api, "copy", job) == answers(api, "default", job)


def test_a_job_whose_queue_and_package_are_gone_is_made_again() -> None:
    with open_api(seed=("empty",)) as api:
        job = {"JobName": "j", "Packages": "a.jar", "QueueName": "root.q", "IsCommitted": False}
        project = {
            "Name": "p",
            "queues": [{"QueueName": "root.q"}],
            "packages": [{"PackageName": "a.jar"}],
            "jobs": [job],
        }
        assert api.request("POST", "/_emulator/worlds/default/seed", json={"projects": [project]}).status_code == 204
        (made,) = jobs_of(api)
        api.ok("DeletePackage", projectName="p", packageName="a.jar")
        api.ok("UnbindQueue", projectName="p", clusterId=made.cluster_id, queueName="root.q")
        text = written(api.world, made)
        assert api.request("POST", "/_emulator/worlds/other/seed", content=text).status_code == 204
        assert answers(api, "other", made) == answers(api, "default", made)


def test_a_job_of_a_project_whose_cluster_does_not_exist_is_made_again() -> None:
    """Version 0.1.0 kept whatever clusterId CreateProject was given for a public project."""
    with open_api() as api:
        (project, *_) = api.world.store.find(Project)
        of_it = [equal(Project.name, project.name)]
        with api.world.transaction():
            api.world.store.update(Project, assign(Project.cluster_id, "gone"), where=of_it)
        job = next(job for job in jobs_of(api) if job.project_name == project.name)
        api.request("PUT", "/_emulator/worlds/copy", json={"seed": yaml.safe_load(written(api.world, job))})
        assert answers(api, "copy", job) == answers(api, "default", job)


def test_an_instance_that_waits_is_made_again_without_a_start() -> None:
    with open_api() as api:
        api.world.set({"start_delay": "1h"})
        api.ok("StartJob", projectName="demo", jobName="committed-never-started")
        assert_copied_without_a_start(api)


def test_an_instance_takes_no_text_of_its_job_that_it_lacks() -> None:
    with open_api() as api:
        where = {"projectName": "demo", "jobName": "committed-never-started"}
        api.ok("StartJob", **where)
        api.ok("UpdateJob", **where, packages="clicks-1.2.jar", properties="a=1")
        job = find_job(api.world, "demo", "committed-never-started")
        assert job is not None
        document = yaml.safe_load(written(api.world, job))
        (instance,) = document["projects"][0]["jobs"][0]["instances"]
        assert instance["Packages"] == ""
        assert '"Packages":"clicks' not in answers(api, "default", job)[2]


def test_an_instance_that_ended_while_it_waited_is_made_again_without_a_start() -> None:
    with open_api() as api:
        api.world.set({"start_delay": "1h"})
        where = {"projectName": "demo", "jobName": "committed-never-started"}
        api.ok("StartJob", **where)
        api.ok("ModifyInstanceState", **where, instanceId=-1, expectState="TERMINATED")
        assert_copied_without_a_start(api)


def test_an_instance_that_was_started_without_autoscale_has_none_when_it_is_made_again() -> None:
    with open_api() as api:
        where = {"projectName": "demo", "jobName": "running-stream"}
        api.ok("CommitJob", **where, isOnOff=True, maxCU=10, configure='{"fetch_delay":1}')
        job = find_job(api.world, "demo", "running-stream")
        assert job is not None
        seed = yaml.safe_load(written(api.world, job))
        api.request("PUT", "/_emulator/worlds/copy", content=json.dumps({"seed": seed}))
        (made,) = api.registry.open_or_create("copy").store.find(Instance)
        assert made.auto_scale_params == "", "not that of the job"
        path = "/api/v2/projects/demo/jobs/running-stream/instance/-1/autoscale/config"
        switch = {"configJson": '{"autoscale.enable":"true"}'}
        refused = api.request("PUT", path, data=switch, headers={"x-emulator-world": "copy"})
        assert refused.json()["Code"] == "InvalidInstance.NoAutoScale"


def test_code_is_written_as_lines() -> None:
    with open_api() as api:
        job = find_job(api.world, "demo", "running-stream")
        assert job is not None
        assert "Code: |" in written(api.world, job)


@pytest.mark.parametrize("text", ["a\x85b", "\x85\n a", " \n\x85", "a\u2028b\n"])
def test_every_character_of_a_text_comes_back(text: str) -> None:
    assert load(seed_text({"Code": text})).value == {"Code": text}


@pytest.mark.parametrize("text", ["\n\u2028", "a\u2028b\n\u2028", "\n\u2029a"])
def test_every_character_comes_back_also_where_the_seed_becomes_a_part_of_a_body(text: str) -> None:
    """As the console sends a file that a world is to begin with."""
    content = _wrapped(seed_text({"Code": text}).encode(), as_yaml=True).decode()
    assert load(content).value == {"seed": {"Code": text}}


def test_only_what_a_job_uses_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project may have 20,000 packages, and a job as many instances."""
    packages = [{"PackageName": f"p{number}.jar"} for number in range(30)]
    instances = [{"ActualState": "SUCCESS"}] * 30 + [{"ActualState": "RUNNING"}]
    job = {"JobName": "j", "Packages": "p7.jar, p9.jar", "instances": instances}
    many = {"JobName": "k", "Code": "x" * 200_001, "instances": instances}
    long = {"JobName": "l", "instances": [{"ActualState": "SUCCESS", "Code": "x" * 200_001}] * 30}
    seed = {"projects": [{"Name": "p", "packages": packages, "jobs": [job, many, long]}]}
    with open_api(seed=("empty",)) as api:
        assert api.request("POST", "/_emulator/worlds/default/seed", json=seed).status_code == 204
        read = models_read(monkeypatch)
        first, second, third = jobs_of(api)
        read.clear()
        text = written(api.world, first)
        project = find_project(api.world, "p")
        assert project is not None
        assert seed_of_job(api.world, project, second) is None, "it is too long for a page"
        assert len(read) < 40
        read.clear()
        assert seed_of_job(api.world, project, third) is None, "one of its instances is"
        assert read.count(Instance) == 1, "each of them may have megabytes"
    assert re.findall("PackageName: (.*)", text) == ["p7.jar", "p9.jar"]
    assert text.count("ActualState: ") == 20
    assert "ActualState: RUNNING" in text
