"""Random calls, legal and illegal, on a few jobs; whatever comes, the invariants of their lives hold."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.api import dump, open_api
from tests.operations import building

JOBS = {"stream": "FLINK_STREAM", "other": "FLINK_STREAM", "batch": "FLINK_BATCH"}
LIVE = {"WAITING", "RUNNING", "PAUSED"}
ENDED = {"TERMINATED", "SUCCESS", "FAILED"}

jobs = st.sampled_from(sorted(JOBS))


class Lives(RuleBasedStateMachine):
    """Drives the jobs of one project. The model knows only which jobs exist and which are online."""

    def __init__(self) -> None:
        super().__init__()
        self.opening = open_api(seed=("empty",))
        self.api = self.opening.__enter__()
        self.online: dict[str, bool] = {}

    def teardown(self) -> None:
        self.opening.__exit__(None, None, None)

    @initialize(start_delay=st.sampled_from(["0s", "20s"]), other_delay=st.sampled_from(["0s", "10s"]))
    def a_project_with_a_queue(self, start_delay: str, other_delay: str) -> None:
        building.project_with_queue(self.api, "p")
        self.api.advance("0s")
        self.api.world.set(
            {
                "start_delay": start_delay,
                "pause_delay": other_delay,
                "stop_delay": other_delay,
                "batch_duration": "60s",
            }
        )

    # -- calls

    @rule(name=jobs)
    def create(self, name: str) -> None:
        given = {"jobName": name, "jobType": JOBS[name], "apiType": "DATASTREAM", "code": "k=v"}
        if self.call("CreateJob", legal=name not in self.online, **given):
            self.online[name] = False

    @rule(name=jobs, code=st.sampled_from(["k=v", "k=w"]))
    def update(self, name: str, code: str) -> None:
        self.call("UpdateJob", legal=name in self.online, jobName=name, code=code)

    @rule(name=jobs)
    def commit(self, name: str) -> None:
        if self.call("CommitJob", legal=name in self.online, jobName=name):
            self.online[name] = True

    @rule(name=jobs)
    def start(self, name: str) -> None:
        free = JOBS[name] == "FLINK_BATCH" or not self.live(name)
        self.call("StartJob", legal=self.online.get(name, False) and free, jobName=name)

    @rule(name=jobs)
    def offline(self, name: str) -> None:
        if self.call("OfflineJob", legal=self.online.get(name, False) and not self.live(name), jobName=name):
            self.online[name] = False

    @rule(name=jobs)
    def delete(self, name: str) -> None:
        if self.call("DeleteJob", legal=self.online.get(name) is False, jobName=name):
            del self.online[name]

    @rule(
        name=jobs,
        which=st.integers(0, 3),
        state=st.sampled_from(["RUNNING", "PAUSED", "TERMINATED", "SUCCESS", "FAILED"]),
        flush=st.booleans(),
    )
    def modify(self, name: str, which: int, state: str, *, flush: bool) -> None:
        ids = [-1, *sorted(instance["Id"] for instance in self.all_instances() if instance["JobName"] == name)]
        where = {"jobName": name, "instanceId": ids[which % len(ids)]}
        self.call("ModifyInstanceState", legal=None, **where, expectState=state, isFlush=flush)

    @rule(by=st.sampled_from(["1s", "10s", "30s", "49h"]))
    def time_passes(self, by: str) -> None:
        self.api.advance(by)

    # -- invariants

    @invariant()
    def a_stream_job_has_at_most_one_instance_that_is_not_archived(self) -> None:
        current = [each["JobName"] for each in self.instances("FLINK_STREAM", is_archived=False)]
        assert len(current) == len(set(current))

    @invariant()
    def only_an_online_job_has_a_live_instance(self) -> None:
        assert all(self.online[name] for name in {each["JobName"] for each in self.all_live()})

    @invariant()
    def an_instance_has_an_end_exactly_if_it_has_ended(self) -> None:
        for is_archived in (False, True):
            for instance in self.of_both_types(is_archived=is_archived):
                resumed = is_archived and instance["ActualState"] == "PAUSED"
                assert ("EndTime" in instance) == (instance["ActualState"] in ENDED or resumed)
                assert instance["ActualState"] == "WAITING" or "StartTime" in instance or "EndTime" in instance

    @invariant()
    def what_is_expected_is_actual_unless_it_is_planned(self) -> None:
        planned = {each["subject"] for each in dump(self.api.world)["pending_changes"] if each["event"] != "archive"}
        for instance in self.all_live():
            settled = instance["ExpectState"] == instance["ActualState"]
            assert settled or f"instance:{instance['Id']}" in planned

    @invariant()
    def lists_agree_with_the_model(self) -> None:
        listed = self.api.ok("ListJob", projectName="p")
        assert {job["JobName"]: job["IsCommitted"] for job in listed["Jobs"]["Job"]} == self.online
        assert listed["TotalCount"] == len(self.online)

    # -- looking

    def call(self, operation: str, *, legal: bool | None, **given: Any) -> bool:
        """Make a call; a refused one changes nothing. Answers whether it was accepted."""
        before = dump(self.api.world)
        outcome = self.api.call(operation, projectName="p", **given)
        accepted = outcome.status == 200
        assert outcome.status in (200, 400, 404), outcome.text
        assert legal in (None, accepted), f"{operation} {given}: {outcome.text} ({outcome.hint})"
        assert accepted or dump(self.api.world) == before
        return accepted

    def instances(self, job_type: str, *, is_archived: bool) -> list[dict[str, Any]]:
        answer = self.api.ok("ListInstance", projectName="p", jobType=job_type, isArchived=is_archived, pageSize=100)
        assert answer["TotalCount"] == len(answer["Instances"]["Instance"])
        found: list[dict[str, Any]] = answer["Instances"]["Instance"]
        return found

    def of_both_types(self, *, is_archived: bool) -> list[dict[str, Any]]:
        return [
            each
            for job_type in sorted(set(JOBS.values()))
            for each in self.instances(job_type, is_archived=is_archived)
        ]

    def all_instances(self) -> list[dict[str, Any]]:
        return [
            each
            for job_type in set(JOBS.values())
            for archived in (False, True)
            for each in self.instances(job_type, is_archived=archived)
        ]

    def all_live(self) -> list[dict[str, Any]]:
        current = self.of_both_types(is_archived=False)
        return [each for each in current if each["ActualState"] in LIVE]

    def live(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self.all_live() if each["JobName"] == name]


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=25, stateful_step_count=30, suppress_health_check=[HealthCheck.too_slow], database=None
)
