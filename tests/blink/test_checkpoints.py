import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foas_emulator.blink.checkpoints import checkpoints
from foas_emulator.blink.plan import SOURCE, Node, Plan
from foas_emulator.blink.properties import read
from foas_emulator.blink.running import Run

START = 1599794335000
MINUTE = 60_000
RUN = Run(
    "seed",
    1,
    "job1",
    START,
    START + 30 * MINUTE,
    Plan((Node(1, "a", SOURCE, 3),)),
    read("blink.checkpoint.interval.ms=60000"),
)


def told(run: Run) -> Any:
    return json.loads(checkpoints(run))


def test_there_is_a_checkpoint_each_interval() -> None:
    assert [
        told(replace(RUN, now=START + minutes * MINUTE + 2000))["counts"]["completed"] for minutes in (0, 1, 2, 30)
    ] == [*(0, 1, 2, 30)]


def test_default_interval_is_three_minutes() -> None:
    assert told(replace(RUN, properties=read("")))["counts"]["total"] == 10


def test_checkpoint_that_has_just_begun_is_in_progress() -> None:
    content = told(RUN)
    assert content["counts"] == {"restored": 0, "total": 30, "in_progress": 1, "completed": 29, "failed": 0}
    assert content["history"][0]["status"] == "IN_PROGRESS"
    assert content["history"][0]["num_acknowledged_subtasks"] == 0
    assert content["latest"]["completed"]["id"] == 29


def test_history_is_the_latest_ten_and_keeps_one_completed_checkpoint() -> None:
    content = told(replace(RUN, now=RUN.now + 5000))
    assert [item["id"] for item in content["history"]] == list(range(30, 20, -1))
    assert [item["discarded"] for item in content["history"]] == [False] + [True] * 9
    assert content["history"][0] == content["latest"]["completed"]
    first = content["history"][-1]
    assert first["trigger_timestamp"] == START + 21 * MINUTE
    assert first["latest_ack_timestamp"] - first["trigger_timestamp"] == first["end_to_end_duration"] > 0
    assert (first["num_subtasks"], first["num_acknowledged_subtasks"]) == (3, 3)
    assert first["external_path"].endswith(f"{RUN.job_id}/chk-21")


def test_summary_is_that_of_the_completed_checkpoints_of_the_history() -> None:
    content = told(RUN)
    sizes = [item["state_size"] for item in content["history"] if item["status"] == "COMPLETED"]
    assert content["summary"]["state_size"] == {"min": min(sizes), "max": max(sizes), "avg": sum(sizes) // len(sizes)}


def test_checkpoint_stays_what_it_is_while_others_follow() -> None:
    then = {item["id"]: item for item in told(replace(RUN, now=RUN.now + 5000))["history"]}
    later = {item["id"]: item for item in told(replace(RUN, now=RUN.now + 5 * MINUTE + 5000))["history"]}
    shared = then.keys() & later.keys() - {30}
    assert len(shared) == 4
    assert all(then[number] == later[number] for number in shared)


def test_state_grows_until_its_time_to_live() -> None:
    def size(hours: int) -> int:
        run = replace(RUN, now=START + hours * 60 * MINUTE + 5000, properties=read("blink.state.ttl.ms=7200000"))
        return int(told(run)["latest"]["completed"]["state_size"])

    assert size(2) - size(1) > 10_000_000
    assert abs(size(4) - size(2)) < 5000


def test_failure_breaks_the_checkpoint_it_meets_and_the_job_goes_back_to_the_one_before() -> None:
    run = replace(RUN, failures=((START + 5 * MINUTE, "boom"),))
    content = told(run)
    assert content["counts"] == {"restored": 1, "total": 30, "in_progress": 1, "completed": 28, "failed": 1}
    assert (content["latest"]["failed"]["id"], content["latest"]["failed"]["failure_timestamp"]) == (
        5,
        START + 5 * MINUTE,
    )
    assert content["latest"]["restored"]["id"] == 4
    assert content["latest"]["restored"]["restore_timestamp"] == START + 5 * MINUTE


def test_failure_between_checkpoints_breaks_none() -> None:
    content = told(replace(RUN, failures=((START + 5 * MINUTE + 30_000, "boom"),)))
    assert (content["counts"]["failed"], content["latest"]["restored"]["id"]) == (0, 5)


def test_failure_before_the_first_checkpoint_restores_nothing() -> None:
    content = told(replace(RUN, failures=((START + 1000, "boom"),)))
    assert (content["counts"]["restored"], content["latest"]["restored"]) == (0, None)


def test_interval_of_zero_makes_no_checkpoints() -> None:
    content = told(replace(RUN, properties=read("blink.checkpoint.interval.ms=0")))
    assert content["counts"]["total"] == 0
    assert content["history"] == []
    assert content["latest"] == {"completed": None, "savepoint": None, "failed": None, "restored": None}


def test_years_of_checkpoints_are_told_at_once() -> None:
    run = replace(RUN, now=START + 10 * 365 * 86_400_000, properties=read("blink.checkpoint.interval.ms=1"))
    assert told(run)["counts"]["completed"] == 10 * 365 * 86_400_000 - 1


@pytest.mark.parametrize("now", [START - MINUTE, START, START + MINUTE - 1])
def test_there_is_none_before_the_first_interval_has_passed(now: int) -> None:
    assert told(replace(RUN, now=now))["counts"]["total"] == 0


@given(
    st.integers(0, 3_000_000),
    st.sampled_from([1, 7, 1000, 60_000]),
    st.lists(st.integers(0, 3_000_000), max_size=8).map(sorted),
)
def test_counts_agree_with_one_another_at_any_instant(passed: int, interval: int, failures: list[int]) -> None:
    run = replace(
        RUN,
        now=START + passed,
        properties=read(f"blink.checkpoint.interval.ms={interval}"),
        failures=tuple((START + failure, "boom") for failure in failures),
    )
    content = told(run)
    counts = content["counts"]
    assert counts["total"] == passed // interval
    assert counts["total"] == counts["completed"] + counts["failed"] + counts["in_progress"]
    assert min(counts.values()) >= 0
    assert counts["in_progress"] <= 1
    assert len(content["history"]) == min(counts["total"], 10)
    assert (content["latest"]["completed"] is None) == (counts["completed"] == 0)
    assert (content["latest"]["failed"] is None) == (counts["failed"] == 0)
