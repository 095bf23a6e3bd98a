import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from foas_emulator.control import images
from foas_emulator.control.documents import parse_document
from foas_emulator.seeds.loading import Document
from tests.api import dump, open_api
from tests.control.conftest import Control

DEFAULT = "/worlds/default"


def test_a_restored_snapshot_is_the_same_to_the_byte(control: Control) -> None:
    before = control.send("GET", f"{DEFAULT}/snapshot").content
    control.ok("POST", f"{DEFAULT}/seed", {"projects": [{"Name": "p"}], "settings": {"start_delay": "30s"}}, status=204)
    assert control.send("GET", f"{DEFAULT}/snapshot").content != before
    control.ok("PUT", f"{DEFAULT}/snapshot", before, status=204)
    assert control.send("GET", f"{DEFAULT}/snapshot").content == before
    assert control.ok("GET", f"{DEFAULT}/settings")["start_delay"] == "0s"


def test_a_restored_world_still_resets_to_what_it_was_created_from(control: Control) -> None:
    control.ok("PUT", "/worlds/alice", {"seed": "empty"}, status=201)
    control.ok("PUT", "/worlds/alice/snapshot", control.ok("GET", f"{DEFAULT}/snapshot"), status=204)
    assert control.get_instance("alice").status_code == 200
    control.ok("POST", "/worlds/alice/reset")
    assert control.get_instance("alice").status_code == 404


def test_a_snapshot_holds_clock_changes_counters_settings_and_faults(control: Control) -> None:
    control.ok("PUT", f"{DEFAULT}/clock", {"mode": "frozen", "now": 5})
    control.ok("PUT", f"{DEFAULT}/settings", {"start_delay": "30s"})
    control.ok("POST", f"{DEFAULT}/faults", {"match": {"operation": "StartJob"}, "effect": {"drop": True}}, status=201)
    instance = {"Id": 900001, "timeline": [{"after": "30s", "ActualState": "FAILED"}]}
    job = {"JobName": "j", "instances": [instance]}
    control.ok("POST", f"{DEFAULT}/seed", {"projects": [{"Name": "p", "jobs": [job]}]}, status=204)
    tables = control.ok("GET", f"{DEFAULT}/snapshot")["tables"]
    assert tables["clock"] == [{"frozen_at": 5, "id": 1, "mode": "frozen", "offset_ms": 0}]
    assert tables["pending_changes"][0]["at"] == 30_005
    assert {"name": "instance", "value": 900001} in tables["counters"]
    assert "30s" in tables["world"][0]["settings"]
    assert len(tables["fault_rules"]) == 1


def test_the_last_few_small_snapshots_are_read_once(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def counted(body: bytes, **options: Any) -> Document:
        read.append(body)
        return parse_document(body, **options)

    monkeypatch.setattr(images, "parse_document", counted)
    taken = control.send("GET", f"{DEFAULT}/snapshot").content
    first, *others = (taken + b" " * number for number in range(images._MOST_KEPT + 1))

    def restore(snapshot: bytes) -> None:
        control.ok("POST", f"{DEFAULT}/seed", {"projects": [{"Name": "p"}]}, status=204)
        control.ok("PUT", f"{DEFAULT}/snapshot", snapshot, status=204)
        assert control.send("GET", f"{DEFAULT}/snapshot").content == taken

    for snapshot in (first, first, *others, *reversed(others)):
        restore(snapshot)
    assert read == [first, *others]
    restore(first)
    assert read == [first, *others, first]


def test_a_snapshot_comes_and_goes_as_yaml(control: Control) -> None:
    answer = control.send("GET", f"{DEFAULT}/snapshot", accept="application/yaml")
    assert answer.headers["content-type"] == "application/yaml"
    assert yaml.safe_load(answer.content) == control.ok("GET", f"{DEFAULT}/snapshot")
    put = control.send("PUT", "/worlds/alice/snapshot", answer.content, content_type="application/yaml")
    assert put.status_code == 204
    assert control.ok("GET", "/worlds/alice/snapshot") == control.ok("GET", f"{DEFAULT}/snapshot")
    untyped = control.send("PUT", "/worlds/alice/snapshot", answer.content)
    assert untyped.json()["hint"].endswith(" If it is YAML, send it with the Content-Type application/yaml.")
    broken = control.send("PUT", "/worlds/alice/snapshot", '{"tables": ')
    assert "YAML" not in broken.json()["hint"]


def test_lines_of_a_yaml_snapshot_may_consist_of_blanks_that_yaml_takes_for_letters(control: Control) -> None:
    job = {"JobName": "j", "Code": " ".join(["x", *["\u3000" * 60] * 6])}
    control.ok("POST", f"{DEFAULT}/seed", {"projects": [{"Name": "p", "jobs": [job]}]}, status=204)
    answer = control.send("GET", f"{DEFAULT}/snapshot", accept="application/yaml")
    put = control.send("PUT", "/worlds/alice/snapshot", answer.content, content_type="application/yaml")
    assert put.status_code == 204
    assert control.ok("GET", "/worlds/alice/snapshot") == control.ok("GET", f"{DEFAULT}/snapshot")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "a snapshot is an object"),
        ("{", "The body is not JSON."),
        ('{"tables": {}, "tables": {}}', "The body cannot be used."),
        ("", "a snapshot is an object"),
        ({"snapshot_version": 99, "tables": {}}, "this emulator restores"),
        ({"snapshot_version": 1, "tables": {"jobs": [{}]}}, "jobs[0] lacks the member api_type"),
    ],
)
def test_a_snapshot_that_cannot_be_restored_changes_nothing(control: Control, body: Any, reason: str) -> None:
    before = dump(control.api.world)
    assert reason in control.refused("PUT", f"{DEFAULT}/snapshot", body)
    assert dump(control.api.world) == before


def test_yaml_that_is_none_is_refused(control: Control) -> None:
    answer = control.send("PUT", f"{DEFAULT}/snapshot", "a: [", content_type="application/yaml")
    assert (answer.status_code, answer.json()["error"]) == (400, "The body is not YAML.")


def test_what_is_written_in_a_snapshot_survives_a_restart(tmp_path: Path) -> None:
    with open_api(data_dir=tmp_path) as api:
        Control(api).ok("PUT", f"{DEFAULT}/settings", {"start_delay": "30s"})
        saved = Control(api).send("GET", f"{DEFAULT}/snapshot").content
        Control(api).ok("PUT", "/worlds/alice/snapshot", saved, status=204)
    with open_api(data_dir=tmp_path, seed=("empty",)) as api:
        assert Control(api).send("GET", "/worlds/alice/snapshot").content == saved
        Control(api).ok("POST", f"{DEFAULT}/reset")
        assert Control(api).get_instance("default").status_code == 200


def test_a_world_that_counts_on_from_the_largest_id_of_a_seed_has_a_snapshot(control: Control) -> None:
    largest = 2**62
    job = {"JobName": "j", "instances": [{"Id": largest}]}
    project = {"Name": "p", "jobs": [job], "folders": [{"Path": "/a", "FolderId": largest}]}
    control.ok(
        "PUT", DEFAULT, {"seed": {"projects": [project], "faults": [{"id": largest, "effect": {"latency": "1s"}}]}}
    )
    control.ok("DELETE", f"{DEFAULT}/faults/{largest}", status=204)
    assert control.api.ok("CreateFolder", projectName="p", path="/b")["FolderId"] == largest + 2  # after the root
    control.ok(
        "PUT", f"{DEFAULT}/projects/p/jobs/j/instances/{largest}/state", {"ActualState": "TERMINATED"}, status=204
    )
    control.api.ok("StartJob", projectName="p", jobName="j", parameterJson="{}")
    instance = control.api.ok("GetInstance", projectName="p", jobName="j", instanceId=-1)["Instance"]["Id"]
    assert instance == largest + 1
    rule = control.ok(
        "POST",
        f"{DEFAULT}/faults",
        {"effect": {"latency": "1s"}, "match": {"operation": "ListTagResources"}},
        status=201,
    )
    assert control.ok("GET", f"{DEFAULT}/faults/{rule['id']}")["id"] == largest + 1
    control.ok("PUT", f"{DEFAULT}/projects/p/jobs/j/instances/{instance}/state", {"ActualState": "FAILED"}, status=204)
    control.ok("PUT", f"{DEFAULT}/snapshot", control.ok("GET", f"{DEFAULT}/snapshot"), status=204)


def test_a_counter_that_a_snapshot_puts_at_its_end_gives_out_no_more(control: Control) -> None:
    snapshot = control.ok("GET", f"{DEFAULT}/snapshot")
    control.ok("POST", f"{DEFAULT}/faults", {"effect": {"latency": "1s"}}, status=201)
    for counter in snapshot["tables"]["counters"]:
        counter["value"] = 2**63 - 1
    snapshot["tables"]["counters"].append({"name": "fault", "value": 2**63 - 1})
    control.ok("PUT", f"{DEFAULT}/snapshot", snapshot, status=204)
    before = control.ok("GET", f"{DEFAULT}/snapshot")
    refused = control.api.refused(
        "CreateFolder", projectName="project1", path="/b", code="ServiceUnavailable", status=503
    )
    assert refused.hint == "The world is full: its counter 'folder' has given out the last number; reset or drop it."
    assert "'fault'" in control.refused("POST", f"{DEFAULT}/faults", {"effect": {"latency": "1s"}}, status=503)
    assert "'project'" in control.refused("POST", f"{DEFAULT}/seed", {"projects": [{"Name": "p"}]}, status=503)
    assert control.ok("GET", f"{DEFAULT}/snapshot") == before


def test_orders_are_counted_as_far_as_all_else(control: Control) -> None:
    snapshot = control.ok("GET", f"{DEFAULT}/snapshot")
    counters = snapshot["tables"]["counters"]
    counters[:] = [counter for counter in counters if counter["name"] != "order"]
    counters.append({"name": "order", "value": 2**62})
    control.ok("PUT", f"{DEFAULT}/snapshot", snapshot, status=204)
    machines = {"masterSpec": "Ecs_4c16g", "masterNum": 1, "slaveSpec": "Ecs_4c16g", "slaveNum": 2}
    control.api.ok("CreateCellClusterOrder", payModel="post", region="cn-hangzhou", **machines)
    control.ok("PUT", f"{DEFAULT}/snapshot", control.ok("GET", f"{DEFAULT}/snapshot"), status=204)


def test_a_seed_is_merged_and_replaces_whole_resources(control: Control) -> None:
    seed = "projects:\n- Name: project1\n- {Name: p, jobs: [{JobName: j, instances: [{Id: 900001}]}]}\n"
    control.ok("POST", f"{DEFAULT}/seed", seed, status=204)
    assert control.get_instance("default").status_code == 404
    assert control.api.request("GET", "/api/v2/projects/p/jobs/j/instances/-1").status_code == 200
    assert control.api.world.store.counts()["projects"] == 3


def test_the_faults_of_a_seed_are_told_with_their_lines_and_nothing_is_merged(control: Control) -> None:
    before = dump(control.api.world)
    answer = control.send("POST", f"{DEFAULT}/seed", "projects:\n- Name: p\n  jobs:\n  - JobNam: j\n")
    assert answer.status_code == 400
    assert [(fault["line"], fault["path"]) for fault in answer.json()["faults"]] == [
        (4, "projects[0].jobs[0].JobName"),
        (4, "projects[0].jobs[0].JobNam"),
    ]
    assert dump(control.api.world) == before


def test_a_seed_that_meets_what_another_project_has_is_refused_whole(control: Control) -> None:
    before = dump(control.api.world)
    taken = before["folders"][0]["folder_id"]
    folder = {"Path": "/mine", "FolderId": taken}
    told = control.refused(
        "POST", f"{DEFAULT}/seed", {"projects": [{"Name": "fine"}, {"Name": "p", "folders": [folder]}]}
    )
    assert f"FolderId {taken} is that of" in told
    assert dump(control.api.world) == before


@pytest.mark.parametrize("padding", ["", " " * 10_000], ids=["small", "large"])
def test_a_seed_that_is_refused_when_it_is_applied_makes_no_world(control: Control, padding: str) -> None:
    """Its folder id is that of the root of project1, which the new world would have, too."""
    roots = control.ok("GET", f"{DEFAULT}/snapshot")["tables"]["folders"]
    seed = {"projects": [{"Name": "p", "folders": [{"Path": "/a", "FolderId": roots[0]["folder_id"]}]}]}
    body = json.dumps(seed) + padding
    assert "is that of / in project" in control.refused("POST", "/worlds/alice/seed", body)
    assert [world["name"] for world in control.ok("GET", "/worlds")["worlds"]] == ["default"]
    seed["projects"][0]["folders"] = []
    control.ok("POST", "/worlds/alice/seed", json.dumps(seed) + padding, status=204)
    names = [project["name"] for project in control.ok("GET", "/worlds/alice/snapshot")["tables"]["projects"]]
    assert "p" in names


def test_a_seed_that_is_no_text_is_refused(control: Control) -> None:
    assert "The body is not UTF-8." in control.refused("POST", f"{DEFAULT}/seed", b"\xff")


def test_changes_can_be_scheduled_however_high_a_snapshot_numbers_them(control: Control) -> None:
    """Otherwise no call would succeed once a due change had no number for the one after it."""
    control.ok("PUT", f"{DEFAULT}/clock", {"mode": "frozen"})
    control.ok("PUT", f"{DEFAULT}/settings", {"start_delay": "1m", "batch_duration": "1m"})
    jobs = [{"JobName": name, "JobType": "FLINK_BATCH"} for name in "ab"]
    control.ok("POST", f"{DEFAULT}/seed", {"projects": [{"Name": "p", "jobs": jobs}]}, status=204)
    control.api.ok("StartJob", projectName="p", jobName="a", parameterJson="{}")
    snapshot = control.ok("GET", f"{DEFAULT}/snapshot")
    (change,) = snapshot["tables"]["pending_changes"]
    change["sequence"] = 2**63 - 1
    (counter,) = (each for each in snapshot["tables"]["counters"] if each["name"] == "pending_change")
    counter["value"] = 2**63 - 1
    control.ok("PUT", f"{DEFAULT}/snapshot", snapshot, status=204)
    control.api.ok("StartJob", projectName="p", jobName="b", parameterJson="{}")
    control.ok("PUT", f"{DEFAULT}/snapshot", control.ok("GET", f"{DEFAULT}/snapshot"), status=204)
    changes = control.ok("POST", f"{DEFAULT}/clock/advance", {"until": "idle"})["changes"]
    assert [each["what"].split()[1] for each in changes] == ["started"] * 2 + ["finished"] * 2 + ["archive"] * 2
