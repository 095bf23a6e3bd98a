"""GetInstance, member by member as the service documents it."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from foas_emulator.operations.instances.rows import Instance
from foas_emulator.world.tables import equal
from tests.api import Api, dump
from tests.wire import INSTANCE, ask

DOCUMENTED = Path(__file__).parents[3] / "fixtures" / "documented"
JSON = json.loads((DOCUMENTED / "GetInstance.json").read_text("utf-8"))
XML = (DOCUMENTED / "GetInstance.xml").read_text("utf-8")
REQUEST_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
TARGET = "/api/v2/projects/{}/jobs/{}/instances/{}"


@pytest.mark.parametrize("instance_id", ["412536", "-1"])
def test_json_has_the_documented_members_in_their_order_with_their_values(seeded_api: Api, instance_id: str) -> None:
    heard = ask(seeded_api.app, INSTANCE.replace("412536", instance_id), headers={"accept": "application/json"})
    assert heard.headers["content-type"] == "application/json;charset=utf-8"
    members = json.loads(heard.body)
    assert list(members) == ["RequestId", "Instance"]
    assert list(members["Instance"].items()) == list(JSON["Instance"].items())
    assert REQUEST_ID.fullmatch(members["RequestId"])


def test_xml_is_the_documented_document_without_its_indentation(seeded_api: Api) -> None:
    heard = ask(seeded_api.app, headers={"accept": "application/xml"})
    assert heard.headers["content-type"] == "text/xml;charset=utf-8"
    documented = re.sub(r">\n *<", "><", XML).strip()
    documented = documented.replace(JSON["RequestId"], heard.headers["x-acs-request-id"])
    assert heard.text == documented


def test_xml_and_json_say_the_same(seeded_api: Api) -> None:
    instance = ET.fromstring(ask(seeded_api.app, headers={"accept": "text/xml"}).body).find("Instance")
    assert instance is not None
    assert [(each.tag, each.text or "") for each in instance] == [
        (name, str(value)) for name, value in JSON["Instance"].items()
    ]


def test_documented_request_answers_with_an_archived_record_of_the_same_job(seeded_api: Api) -> None:
    instance = seeded_api.ok("GetInstance", projectName="project1", jobName="job1", instanceId=123)["Instance"]
    own = {"Id", "StartTime", "LastOperateTime", "EngineJobHandler"}
    assert {name: value for name, value in instance.items() if name not in own} == {
        name: value for name, value in JSON["Instance"].items() if name not in own
    }
    assert instance["Id"] == 123
    row = seeded_api.world.store.get(Instance, equal(Instance.id, 123))
    assert row is not None
    assert row.is_archived


def test_request_id_is_a_fresh_one_each_time(seeded_api: Api) -> None:
    ids = {ask(seeded_api.app).headers["x-acs-request-id"] for _ in range(10)}
    assert len(ids) == 10


def test_reading_changes_nothing(seeded_api: Api) -> None:
    before = dump(seeded_api.world)
    assert ask(seeded_api.app).status == 200
    assert dump(seeded_api.world) == before


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("nowhere/job1/412536", 404, "InvalidProject.NotFound"),
        ("project1/nothing/412536", 404, "InvalidJob.NotFound"),
        ("project1/job1/1", 404, "InvalidInstance.NotFound"),
        ("demo/running-stream/412536", 404, "InvalidInstance.NotFound"),
        ("project1/job1/0", 404, "InvalidInstance.NotFound"),
        ("demo/success-batch/-1", 400, "InvalidinstanceId"),
        ("demo/running-batch/-1", 400, "InvalidinstanceId"),
        ("project1/job1/x", 400, "InvalidinstanceId"),
        ("project1/job1/-2", 400, "InvalidinstanceId"),
        ("project1/job1/1.0", 400, "InvalidinstanceId"),
        ("project1/job1/9223372036854775808", 400, "InvalidinstanceId"),
        ("demo/waiting-stream/500001", 400, "InvalidInstance.NotRunning"),
        ("demo/paused-stream/500003", 400, "InvalidInstance.NotRunning"),
        ("demo/paused-stream/-1", 400, "InvalidInstance.NotRunning"),
        ("demo/terminated-stream/500004", 400, "InvalidInstance.NotRunning"),
        ("demo/failed-stream/500005", 400, "InvalidInstance.NotRunning"),
        ("demo/success-batch/500006", 400, "InvalidInstance.NotRunning"),
        ("demo/failed-batch/500007", 400, "InvalidInstance.NotRunning"),
        ("demo/committed-never-started/-1", 400, "InvalidInstance.NotRunning"),
        ("demo/draft/-1", 400, "InvalidInstance.NotRunning"),
    ],
)
def test_anything_but_a_running_instance_is_refused(seeded_api: Api, target: str, status: int, code: str) -> None:
    project, job, instance = target.split("/")
    seeded_api.refused("GetInstance", projectName=project, jobName=job, instanceId=instance, code=code, status=status)


def test_refusal_of_a_stopped_job_says_what_to_set(seeded_api: Api) -> None:
    heard = ask(seeded_api.app, TARGET.format("demo", "paused-stream", "-1"))
    assert heard.hint == (
        "Job 'paused-stream' is not running: its instance 500003 is PAUSED. "
        "The setting not_running=answer shows every state."
    )


def test_refusal_of_a_draft_says_what_starts_it_as_no_setting_shows_it(seeded_api: Api) -> None:
    seeded_api.world.set({"not_running": "answer"})
    heard = ask(seeded_api.app, TARGET.format("demo", "draft", "-1"))
    assert heard.hint == (
        "Job 'draft' is not running: it was never started. It is a draft: CommitJob and StartJob start it."
    )


@pytest.mark.parametrize(
    ("job", "instance", "state"),
    [
        ("waiting-stream", 500001, "WAITING"),
        ("running-stream", 500002, "RUNNING"),
        ("paused-stream", -1, "PAUSED"),
        ("terminated-stream", 500004, "TERMINATED"),
        ("failed-stream", 500005, "FAILED"),
        ("success-batch", 500006, "SUCCESS"),
    ],
)
def test_not_running_answer_shows_every_state(seeded_api: Api, job: str, instance: int, state: str) -> None:
    seeded_api.world.set({"not_running": "answer"})
    answer = seeded_api.ok("GetInstance", projectName="demo", jobName=job, instanceId=instance)
    assert answer["Instance"]["ActualState"] == state


def test_not_running_answer_shows_when_and_why_an_instance_failed(seeded_api: Api) -> None:
    seeded_api.world.set({"not_running": "answer"})
    answer = seeded_api.ok("GetInstance", projectName="demo", jobName="failed-batch", instanceId=500007)["Instance"]
    assert (answer["EndTime"], answer["LastErrorTime"]) == (1599800060000, 1599800060000)
    assert answer["LastErrorMessage"] == "java.lang.ClassNotFoundException: com.example.Clicks"


def test_not_running_answer_shows_a_job_that_was_never_started_as_unknown(seeded_api: Api) -> None:
    seeded_api.world.set({"not_running": "answer"})
    answer = seeded_api.ok("GetInstance", projectName="demo", jobName="committed-never-started", instanceId=-1)
    assert answer["Instance"]["ActualState"] == "UNKNOWN"
    assert not {"Id", "StartTime"} & answer["Instance"].keys()


@pytest.mark.parametrize(
    ("job", "instance", "status", "code"),
    [
        ("draft", "-1", 400, "InvalidInstance.NotRunning"),
        ("success-batch", "-1", 400, "InvalidinstanceId"),
        ("paused-stream", "1", 404, "InvalidInstance.NotFound"),
        ("nothing", "-1", 404, "InvalidJob.NotFound"),
    ],
)
def test_not_running_answer_still_refuses_what_there_is_not(
    seeded_api: Api, job: str, instance: str, status: int, code: str
) -> None:
    seeded_api.world.set({"not_running": "answer"})
    seeded_api.refused("GetInstance", projectName="demo", jobName=job, instanceId=instance, code=code, status=status)


def test_name_that_is_not_ascii_is_found(seeded_api: Api) -> None:
    answer = seeded_api.ok("GetInstance", projectName="demo", jobName="中文作业", instanceId=500009)
    assert answer["Instance"]["JobName"] == "中文作业"
